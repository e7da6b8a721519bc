"""Builds the parts of one server process and connects them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coal_mine import __version__
from coal_mine.background.heartbeat import BEAT, Heartbeat
from coal_mine.background.loop import Loop
from coal_mine.background.outbox import Sender
from coal_mine.background.planner import Planner
from coal_mine.background.timekeeper import MEASURED_EVERY, Timekeeper
from coal_mine.channels.email import EmailChannel
from coal_mine.channels.log import LogChannel
from coal_mine.clock import SharedClock, SystemClock, monotonic
from coal_mine.config import Config
from coal_mine.domain.alert import OPERATORS
from coal_mine.domain.ports import Channel, Store
from coal_mine.domain.server import Backgrounds, Server
from coal_mine.ids import RandomIds
from coal_mine.services.outcomes import Outcomes
from coal_mine.services.owed_documents import OwedDocuments, OwingAudit
from coal_mine.web.turns import Turns

from .node_parts import NodeParts
from .opening import open_mongo, open_sqlite
from .roles import Roles

if TYPE_CHECKING:
    from coal_mine.background.takeover import Takeover
    from coal_mine.services.jobs import Jobs
    from coal_mine.stores.mongo.store import MongoStore
    from coal_mine.web.app import App
    from coal_mine.web.dialects.moneta.remembered import RememberingView
    from coal_mine.web.health import Health

    from .background_parts import BackgroundParts

_log = logging.getLogger(__name__)

_OPERATORS_SENDER = "sender-operators"
# Loops that something outside may hold up, by how their names begin.
_APART = ("sender", "heartbeat", "config-backup")
# A loop that has not come round for so long is reported by /health.
_HEALTHY_SECONDS = 10.0
_UNSEEN_SECONDS = 30.0  # without a look at the others
_STOP_SECONDS = 10.0


class Parts:
    """A store, the loops and the web application of one process. Made after the fork: threads and connections do not survive one."""

    def __init__(self, config: Config, roles: Roles) -> None:
        self._config = config
        self._ids = RandomIds()
        self._turns = Turns()
        waiting = self._turns.given_away
        self._mongo = open_mongo(config.mongodb, waiting=waiting) if config.mongodb else None
        self._store: Store = self._mongo or open_sqlite(config, waiting=waiting)
        self._channels: list[Channel] = []
        self._loops: list[Loop] = []
        self._clock = self._shared_clock(self._mongo) if self._mongo else SystemClock()
        self._background: BackgroundParts | None = None
        self._node: NodeParts | None = None
        self._documents = OwedDocuments(self._store, self._clock, is_sure=config.elasticsearch is not None)
        self._outcomes = Outcomes(self._store, alert_owed=lambda: self._wake("expander"), owe_documents=self._documents.of_runs)
        self._heartbeat = Heartbeat(
            self._store, _introduction(self._ids.nonce(), background=roles.background), config.alerts.operators,
            operators_told=lambda: self._wake(_OPERATORS_SENDER),
        )  # fmt: skip
        self._loops.append(Loop("heartbeat", self._heartbeat, self._clock, max_sleep=BEAT))
        self._add_operators_sender(config)
        if roles.background:
            self._background = self._make_background(config)
            self._loops += self._background.loops
        if roles.background or roles.node:
            planner = Planner(self._store, run_planned=self._look_for_runs, run_ended=self._outcomes.tell)
            self._loops.append(Loop("planner", planner, self._clock))
        if roles.node and config.node:
            self._node = self._make_node(config)
            self._loops += self._node.loops

    def make_app(self) -> App:
        """What answers HTTP, for the process that serves it; a node does without all that this loads."""
        from .app_parts import make_app

        return make_app(
            self._config, self._store, self._clock, self._ids, self._make_jobs(), wake=self._wake, look_for_runs=self._look_for_runs,
            examine=self.health, turns=self._turns, view=self._view,
        )  # fmt: skip

    def start(self) -> None:
        for loop in self._loops:
            loop.start()
        if self._background:
            self._background.start()

    def stop(self) -> None:
        """Let every loop end its step, then close the store. May be called twice."""
        if isinstance(self._clock, SharedClock):
            self._clock.stop()
        workers: list[Loop | Takeover] = list(self._loops)
        if self._background:
            self._background.tell_to_stop()
            workers += self._background.takeovers
        for worker in workers:
            worker.tell_to_stop()
        end = monotonic() + _STOP_SECONDS
        busy = [worker.name for worker in workers if not worker.join(max(end - monotonic(), 0))]
        if busy:
            _log.warning("left behind while still busy: %s", ", ".join(busy), extra={"action": "stop_impatient"})
        else:
            for channel in self._channels:
                channel.close()
            if self._background:
                self._background.close()
        if self._node:
            self._node.end()
        if not _is_orphan():  # whoever killed what had started us did not mean to leave deadlines unwatched
            self._heartbeat.end()
        self._store.close()

    def health(self) -> Health:
        """Answers at once, from this process's memory."""
        from coal_mine.web.health import Health

        ages = {loop.name: round(loop.seconds_since_success(), 3) for loop in self._loops}
        # A mail server that does not answer holds a sender up, and a disk the backup; that is no fault of ours.
        # Nor is it a reason to send triggers elsewhere that others cannot be seen.
        stuck = sorted(name for name, age in ages.items() if age > _HEALTHY_SECONDS and not name.startswith(_APART))
        fault = f"no success for {_HEALTHY_SECONDS:.0f} s: {', '.join(stuck)}" if stuck else ""
        details: dict[str, Any] = {"version": __version__, "seconds_since_success": ages}
        skew = self._clock.skew if isinstance(self._clock, SharedClock) else None
        if skew is not None:
            details["clock_skew_seconds"] = round(skew.total_seconds(), 3)
        found = self._heartbeat.backgrounds
        if found is not None:
            details["backgrounds"] = asdict(found)
        unseen = ages["heartbeat"] > _UNSEEN_SECONDS
        warning = "it cannot be seen whether other processes live" if unseen else _warning(found)
        return Health(fault=fault, warning=warning, details=details)

    @cached_property
    def _view(self) -> RememberingView:
        """One for all of the process; made only where tasks are shown."""
        from coal_mine.web.dialects.moneta.remembered import RememberingView
        from coal_mine.web.dialects.moneta.shown import TaskView

        return RememberingView(TaskView(self._config.timezone))

    def _shared_clock(self, store: MongoStore) -> SharedClock:
        clock = SharedClock()
        # Measured by this machine's own clock, since the shared one does not know the time before.
        timekeeper = Loop("timekeeper", Timekeeper(clock, store.now), SystemClock(), max_sleep=MEASURED_EVERY)
        store.on_new_primary(timekeeper.wake)  # whose clock may be another one
        self._loops.append(timekeeper)
        return clock

    def _make_background(self, config: Config) -> BackgroundParts:
        from .background_parts import BackgroundParts

        return BackgroundParts(
            config, self._store, self._mongo, self._clock, self._ids, self._make_jobs(), self._documents,
            tell=self._outcomes.tell, mail_channel=self._mail_channel, wake=self._wake, view=lambda: self._view,
        )  # fmt: skip

    def _make_node(self, config: Config) -> NodeParts:
        try:
            return NodeParts(config, self._store, self._clock, self._ids, self._outcomes.tell)
        except BaseException:
            self._store.close()  # its threads would keep the process from ending
            raise

    def _make_jobs(self) -> Jobs:
        from coal_mine.services.job_canaries import JobCanaries
        from coal_mine.services.jobs import Jobs

        canaries = JobCanaries(self._store, self._ids)
        audit = OwingAudit(self._store.audit, self._documents)
        return Jobs(self._store, self._clock, self._ids, canaries, plans_changed=lambda: self._wake("planner"), audit=audit)

    def _add_operators_sender(self, config: Config) -> None:
        """In every process: when no background lives, somebody must still be able to say so."""
        channels = {OPERATORS: self._mail_channel()}
        sender = Sender(self._store, self._clock, self._ids, channels, digest_above=config.alerts.digest_above)
        self._loops.append(Loop(_OPERATORS_SENDER, sender, self._clock, max_sleep=BEAT))

    def _mail_channel(self) -> Channel:
        """Each sender has one of its own, so that none shares a connection."""
        channel: Channel = LogChannel() if self._config.email is None else EmailChannel(self._config.email)
        self._channels.append(channel)
        return channel

    def _look_for_runs(self) -> None:
        if self._node:
            self._node.wake()

    def _wake(self, name: str) -> None:
        for loop in self._loops:
            if loop.name.startswith(name):
                loop.wake()


def _introduction(nonce: str, *, background: bool) -> Callable[[datetime], Server]:
    """What the others are told of this process, once it is known when it was started."""
    host, pid = socket.gethostname(), os.getpid()

    def introduce(now: datetime) -> Server:
        server_id = f"{host}|{pid}|{nonce}"
        return Server(id=server_id, host=host, pid=pid, background=background, version=__version__, started_at=now, seen_at=now)

    return introduce


def _is_orphan() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def _warning(found: Backgrounds | None) -> str:
    if found and not found.alive:
        return "no background is alive: no canary becomes late and no alert leaves"
    if found and found.stopped:
        return f"{found.stopped} of the backgrounds stopped within the last hour, not cleanly, and no other one has started since"
    return ""
