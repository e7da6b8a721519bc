"""Nodes of a scene: real agents with real processes, whose steps the test calls; and stores that are out of reach for a moment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from coal_mine.config import RunnerConfig
from coal_mine.domain.errors import StoreUnavailable
from coal_mine.domain.node import Node
from coal_mine.domain.output import Frame, Stream
from coal_mine.domain.ports import Store
from coal_mine.domain.run import Run
from coal_mine.node.agent.agent import Agent, own_user
from coal_mine.node.agent.runners import Runners
from coal_mine.node.spool.directory import RunDirectory
from coal_mine.services.outcomes import Outcomes
from tests.support.jobs import Scene
from tests.support.waiting import until


class House:
    """One node. It may be given up like one that was killed, and another agent started on the same spool."""

    def __init__(
        self,
        scene: Scene,
        directory: Path,
        name: str = "alpha",
        *,
        store: Store | Line | None = None,
        runners: Mapping[str, RunnerConfig] | None = None,
        environ: Mapping[str, str] | None = None,
        **announced: Any,
    ) -> None:
        """`environ` is the environment of the server that it is a part of."""
        self.scene = scene
        self.name = name
        self._directory = directory / name
        self._store: Any = store or scene.store
        self._runners = runners or {}
        self._environ = environ or {}
        self._announced = {"users": (own_user(),), "runners": tuple(self._runners)} | announced
        self.agent = self._new_agent()

    def __enter__(self) -> House:
        self.agent.run_once(self.scene.now)
        return self

    def __exit__(self, *error: object) -> None:
        """No test leaves processes behind."""
        for directory in self.directories():
            directory.request_kill()
        until("the end of all runs", lambda: not any(each.is_alive() and each.result() is None for each in self.directories()))
        self.agent.end()

    def restart(self, *, beats: bool = True) -> None:
        """Like kill -9 and another start: nothing is said or written at the end."""
        self._kill()
        self.agent = self._new_agent()
        if beats:
            self.beat()

    def end(self) -> None:
        """A clean end; the next agent has not begun."""
        self.agent.end()
        self.agent = self._new_agent()

    def restart_as(self, name: str) -> None:
        """With a spool that is named after it, as the server names them."""
        self._kill()
        self.name = name
        self._directory = self._directory.parent / name
        self.agent = self._new_agent()
        self.beat()

    def _kill(self) -> None:
        self.agent._forker.close()
        self.agent._spool.close()

    def lapse(self) -> None:
        """Its lease ends, and another one begins."""
        self.agent._beat._lease.give_up()
        self.beat()

    def end_supervisors_lease(self) -> None:
        """Long ago, as those who start now read it."""
        self.agent._spool.renew_lease(0.0)

    @property
    def forker_pid(self) -> int:
        pid = self.agent._forker.pid
        assert pid is not None
        return pid

    def beat(self) -> None:
        self.agent.run_once(self.scene.now)

    def claim(self) -> None:
        """What is due, is taken: at first what it knew before, then what it finds."""
        for _ in range(3):
            self.agent.claimer.run_once(self.scene.now)

    def report(self) -> None:
        self.agent.reporter.run_once(self.scene.now)

    def until(self, what: str, look: Callable[[], Any]) -> Any:
        def step() -> Any:
            self.report()
            return look()

        return until(what, step)

    def ended(self, run: Run) -> Run:
        """As it is stored when it has ended."""

        def look() -> Run | None:
            found = self.scene.get(run)
            return found if found.has_ended else None

        found: Run = self.until(f"the end of run {run.id}", look)
        return found

    def running(self, run: Run) -> Run:
        found: Run = self.until(f"the start of run {run.id}", lambda: self.scene.get(run) if self.scene.get(run).started_at else None)
        return found

    def directories(self) -> list[RunDirectory]:
        runs = self._directory / "runs"
        return [RunDirectory(path) for path in sorted(runs.iterdir())]

    def _new_agent(self) -> Agent:
        tell = Outcomes(self._store, alert_owed=_nobody).tell
        runners = Runners(self._runners, self._environ, sys.path)
        return Agent(self._store, self.scene.clock, self.scene.ids, self._directory, self._announce, runners, tell=tell, room=_nobody)

    def _announce(self, boot: str, now: datetime) -> Node:
        plain = Node(
            name=self.name, pools=("default",), users=(), timezone="UTC", slots=100, cpus=0, mem=0, host="host", pid=1, boot=boot,
            version="1", started_at=now, seen_at=now,
        )  # fmt: skip
        return replace(plain, **self._announced)


def _nobody() -> None:
    """Nobody waits to be woken."""


class Line:
    """To a store: each call of a part may be let through, fail, or fail after it was carried out."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lost: set[str] = set()
        self.is_cut = False

    @contextmanager
    def losing(self, *calls: str) -> Iterator[None]:
        """The answers of these calls, such as "runs.change"."""
        self._lost = set(calls)
        try:
            yield
        finally:
            self._lost = set()

    @contextmanager
    def cut(self) -> Iterator[None]:
        self.is_cut = True
        try:
            yield
        finally:
            self.is_cut = False

    def __getattr__(self, part: str) -> Any:
        return _Part(self, part, getattr(self._store, part))

    def carry(self, name: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.is_cut:
            raise StoreUnavailable("cut off")
        answer = call(*args, **kwargs)
        if name in self._lost:
            raise StoreUnavailable("the answer was lost")
        return answer


class _Part:
    def __init__(self, line: Line, name: str, part: Any) -> None:
        self._line = line
        self._name = name
        self._part = part

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._part, name)
        return lambda *args, **kwargs: self._line.carry(f"{self._name}.{name}", call, *args, **kwargs)


def frames_of(store: Store, run: Run, attempt: int = 1) -> list[Frame]:
    """All of its output that is stored."""
    found: list[Frame] = []
    offset = 0
    while chunks := store.output.read(run.id, attempt, offset=offset, limit=1 << 20):
        found += [frame for chunk in chunks for frame in chunk.frames]
        offset = chunks[-1].end
    return found


def output_of(store: Store, run: Run, *streams: Stream, attempt: int = 1) -> bytes:
    return b"".join(frame.data for frame in frames_of(store, run, attempt) if frame.stream in (streams or Stream))
