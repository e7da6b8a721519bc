"""A store that fails, or a process that dies, while a stop or a return is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coal_mine.background.heartbeat import BEAT
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.ports import Store
from tests.background.processes import MINUTE, RESUMED_ALPHA, STOPPED_ALPHA, World


class Faulty:
    """A store that says once, of one kind of call, that it did not answer, although it did the work or although it did not."""

    def __init__(self, store: Store, call: str, *, after_the_work: bool) -> None:
        self._parts = {"canaries": store.canaries, "outbox": store.outbox, "servers": store.servers, "nodes": store.nodes}
        self._call = call
        self._after_the_work = after_the_work
        self.failed = False

    def __getattr__(self, name: str) -> object:
        if name in self._parts:
            return _Part(self, self._parts[name])
        raise AttributeError(name)

    def fail(self, name: str, work: Callable[..., object], *arguments: object) -> object:
        if self.failed or name != self._call:
            return work(*arguments)
        self.failed = True
        if self._after_the_work:
            work(*arguments)
        raise StoreUnavailable("no answer")


class _Part:
    def __init__(self, faulty: Faulty, part: object) -> None:
        self._faulty = faulty
        self._part = part

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda *arguments: self._faulty.fail(name, getattr(self._part, name), *arguments)


@pytest.mark.parametrize("after_the_work", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("call", ["add", "note_stopped"])
def test_a_fault_while_a_stop_is_told_neither_loses_nor_doubles_it(world: World, call: str, after_the_work: bool) -> None:
    faulty = Faulty(world.store, call, after_the_work=after_the_work)
    world.start("alpha", "beta", store=faulty)
    world.live(MINUTE)
    world.stop("alpha")
    world.live(MINUTE)

    assert faulty.failed
    assert world.told() == [STOPPED_ALPHA]


@pytest.mark.parametrize("after_the_work", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("call", ["add", "note_resumed"])
def test_a_fault_while_a_return_is_told_neither_loses_nor_doubles_it(world: World, call: str, after_the_work: bool) -> None:
    faulty = Faulty(world.store, call, after_the_work=after_the_work)
    world.start("beta")
    world.start("alpha", store=faulty)
    world.live(MINUTE)
    alpha = world.stop("alpha")
    world.live(MINUTE)
    world.go_on("alpha", alpha)
    world.live(MINUTE)

    assert faulty.failed
    assert world.told() == [STOPPED_ALPHA, RESUMED_ALPHA]


def test_who_notices_and_dies_before_noting_it_is_replaced_by_the_next(world: World) -> None:
    faulty = Faulty(world.store, "note_stopped", after_the_work=False)
    world.start("alpha")
    world.start("beta", store=faulty)
    world.start("gamma")
    world.live(MINUTE)
    world.stop("alpha")
    while not faulty.failed:
        world.live(BEAT)
    world.stop("beta").end()
    world.live(MINUTE)

    assert world.told() == [STOPPED_ALPHA]


def test_who_is_held_up_before_noting_a_stop_and_notes_it_after_the_return_undoes_nothing(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    seen_at = world.clock.now() - BEAT
    alpha = world.stop("alpha")
    world.live(MINUTE)
    world.go_on("alpha", alpha)
    world.live(MINUTE)
    world.store.servers.note_stopped("alpha|1|n", seen_at)
    world.live(MINUTE)

    assert world.told() == [STOPPED_ALPHA, RESUMED_ALPHA]


def test_a_stop_that_is_noted_after_the_process_is_back_is_followed_by_its_return(world: World) -> None:
    world.start("alpha", "beta")
    world.live(MINUTE)
    world.store.servers.note_stopped("alpha|1|n", world.clock.now() - 2 * BEAT)
    world.live(MINUTE)

    assert world.told() == [RESUMED_ALPHA]
