"""What operators hear of nodes that stop and come back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coal_mine.background.heartbeat import BEAT, Heartbeat
from coal_mine.background.node_watch import NodeWatch
from coal_mine.domain.alert import OPERATORS, Alert
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.node import LEASE, LEASE_MARGIN, Node
from coal_mine.domain.ports import Store
from coal_mine.domain.server import Server
from tests.support.jobs import HOUR, MINUTE, SECOND, Scene

OPS = ("ops@example.com",)
SILENCE = LEASE + LEASE_MARGIN


def watch(scene: Scene, *, operators: tuple[str, ...] = OPS, store: Store | None = None) -> NodeWatch:
    return NodeWatch(store or scene.store, operators, lambda: None)


def alerts(scene: Scene) -> list[Alert]:
    """All that operators were ever told, oldest first."""
    found = [delivery.alert for delivery in reversed(scene.store.outbox.deliveries(limit=100))]
    return [alert for alert in found if alert.channel == OPERATORS]


def told(scene: Scene) -> list[str]:
    return [f"{alert.kind} {alert.about}" for alert in alerts(scene)]


def look_after(scene: Scene, *lengths: timedelta) -> None:
    """Each time by somebody else."""
    for length in lengths:
        watch(scene).look(scene.clock.move(length))


def stopped(scene: Scene) -> Node:
    """A node that died, and of which operators have heard so."""
    node = scene.node("alpha")
    look_after(scene, SILENCE)
    return node


def test_a_node_that_is_not_seen_for_its_lease_and_margin_has_stopped(scene: Scene) -> None:
    seen_at = stopped(scene).seen_at
    (alert,) = alerts(scene)

    assert (alert.kind, alert.name, alert.at, alert.emails) == ("STOPPED", "node alpha on host", seen_at, OPS)


def test_a_moment_before_nothing_is_told(scene: Scene) -> None:
    scene.node("alpha")
    look_after(scene, SILENCE - timedelta(milliseconds=1))

    assert told(scene) == []


def test_a_stop_of_a_node_is_told_once_however_many_look(scene: Scene) -> None:
    stopped(scene)
    look_after(scene, SECOND, HOUR)

    assert told(scene) == ["STOPPED alpha"]


def test_a_node_that_ended_cleanly_is_not_told_of(scene: Scene) -> None:
    scene.node("alpha")
    scene.store.nodes.end("alpha", "boot")
    look_after(scene, HOUR)

    assert told(scene) == []


def test_a_node_that_was_drained_is_not_told_of(scene: Scene) -> None:
    scene.node("alpha")
    scene.store.nodes.set_draining("alpha", draining=True)
    look_after(scene, HOUR)

    assert told(scene) == []


def test_a_node_that_goes_on_is_told_to_be_back(scene: Scene) -> None:
    node = stopped(scene)
    scene.node("alpha", started_at=node.started_at)
    look_after(scene, timedelta(), SECOND)

    assert told(scene) == ["STOPPED alpha", "RESUMED alpha"]


def test_a_node_that_was_started_again_is_back_as_of_its_start(scene: Scene) -> None:
    stopped(scene)
    node = scene.node("alpha", boot="another")
    look_after(scene, SECOND)

    assert alerts(scene)[1].at == node.started_at


def test_two_who_notice_a_return_at_different_beats_tell_it_once(scene: Scene) -> None:
    node = stopped(scene)
    scene.node("alpha", started_at=node.started_at)
    with pytest.raises(StoreUnavailable):
        watch(scene, store=_Dying(scene.store)).look(scene.now)  # type: ignore[arg-type]
    scene.clock.move(BEAT)
    scene.node("alpha", started_at=node.started_at)
    look_after(scene, timedelta())

    assert told(scene) == ["STOPPED alpha", "RESUMED alpha"]


def test_whoever_dies_before_noting_a_stop_is_followed_by_one_who_does_not_tell_it_again(scene: Scene) -> None:
    scene.node("alpha")
    with pytest.raises(StoreUnavailable):
        watch(scene, store=_Dying(scene.store)).look(scene.clock.move(SILENCE))  # type: ignore[arg-type]
    look_after(scene, SECOND)

    assert told(scene) == ["STOPPED alpha"]


class _Dying:
    """The store of somebody who dies before he can note what he has told."""

    def __init__(self, store: Store) -> None:
        self.outbox = store.outbox
        self.nodes = self
        self.all = store.nodes.all

    def note_stopped(self, name: str, after: object) -> None:
        raise StoreUnavailable("died")

    note_resumed = note_stopped


def test_each_stop_and_each_return_of_a_node_is_told(scene: Scene) -> None:
    for _ in range(2):
        stopped(scene)
        scene.node("alpha")
        look_after(scene, SECOND)

    assert told(scene) == ["STOPPED alpha", "RESUMED alpha"] * 2


def test_without_operators_the_log_tells_of_a_node(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.node("alpha")
    watch(scene, operators=()).look(scene.clock.move(SILENCE))

    assert [record.message.partition(";")[0] for record in caplog.records] == ["node alpha has stopped"]
    assert told(scene) == []


def introduce(scene: Scene) -> Server:
    return Server(id="web|1|n", host="web", pid=1, background=False, version="1.0", started_at=scene.now, seen_at=scene.now)


def test_every_process_looks_after_nodes_when_it_may_judge(scene: Scene) -> None:
    scene.node("alpha")
    heartbeat = Heartbeat(scene.store, lambda now: introduce(scene), OPS, lambda: None)
    end = scene.now + MINUTE
    while scene.now < end:
        heartbeat.run_once(scene.clock.move(BEAT))

    assert told(scene) == ["STOPPED alpha"]


def test_after_an_outage_of_the_store_nodes_have_time_to_beat_before_they_are_told_of(scene: Scene) -> None:
    scene.node("alpha")
    heartbeat = Heartbeat(scene.store, lambda now: introduce(scene), OPS, lambda: None)
    heartbeat.run_once(scene.now)
    heartbeat.run_once(scene.clock.move(HOUR))

    assert told(scene) == []
