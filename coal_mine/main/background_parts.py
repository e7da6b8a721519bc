"""What watches, sweeps and delivers in one process, if it is a background."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from coal_mine.background.heartbeat import BEAT
from coal_mine.background.loop import Loop, Step
from coal_mine.background.outbox import Expander, Sender
from coal_mine.background.ping import ObservedChannel, Ping, Tries
from coal_mine.background.sweeper import Sweeper
from coal_mine.background.takeover import Takeover
from coal_mine.background.unsettled import UnsettledJobs
from coal_mine.background.watcher import DeadlineWatcher
from coal_mine.channels.log import LogChannel
from coal_mine.config import Config, HeartbeatConfig
from coal_mine.domain.alert import EMAIL, LOG, REPORTS
from coal_mine.domain.ports import Channel, Clock, Ids, Store
from coal_mine.domain.run import Run
from coal_mine.services.jobs import Jobs
from coal_mine.services.owed_documents import OwedDocuments

from .document_parts import document_loop

if TYPE_CHECKING:
    from coal_mine.background.document_sender import DocumentIndex
    from coal_mine.stores.mongo.store import MongoStore
    from coal_mine.web.dialects.moneta.remembered import RememberingView

_SENDERS = 4
# Who wants to read about runs wants each; but not more than so many at once.
_REPORTS_SINGLY = 1_000
# Web processes repeat what they hold ten times a second until MongoDB is back.
_REST_AFTER_OUTAGE = timedelta(seconds=2)


class BackgroundParts:
    def __init__(
        self, config: Config, store: Store, mongo: MongoStore | None, clock: Clock, ids: Ids, jobs: Jobs, documents: OwedDocuments,
        *, tell: Callable[[Sequence[Run]], None], mail_channel: Callable[[], Channel], wake: Callable[[str], None],
        view: Callable[[], RememberingView],
    ) -> None:  # fmt: skip
        """`mongo` is the store, if it is one of MongoDB. `tell` is services.outcomes.Outcomes.tell; `wake` takes the name of a loop;
        `view` is how jobs are shown as tasks, for a background that shows any.
        """
        self._config = config
        self._store = store
        self._clock = clock
        self._ids = ids
        self._mail_channel = mail_channel
        self._tries = Tries()
        self._index: DocumentIndex | None = None
        # Only MongoDB can hold what the predecessor has written.
        self._takeover = Takeover(mongo, clock) if mongo else None
        self.loops = [
            self._watcher(mongo, lambda: wake("expander")),
            Loop("sweeper", Sweeper(store, tell=tell, kept=config.jobs.keep, lost_after=config.jobs.lost_after), clock),
            Loop("unsettled", UnsettledJobs(store, jobs.settle), clock, max_sleep=BEAT),
            Loop("expander", Expander(store, lambda: wake("sender"), documents_kept=config.jobs.keep), clock),
            *self._senders(),
        ]
        if config.minion:
            self.loops.append(self._runner_repair(jobs))
        if config.moneta.backup:
            self.loops.append(Loop("config-backup", self._config_backup(config.moneta.backup, view()), clock, max_sleep=BEAT))
        if config.elasticsearch:
            loop, self._index = document_loop(config, config.elasticsearch, store, clock, ids, documents)
            self.loops.append(loop)
        self._ping = self._make_ping(config.heartbeat) if config.heartbeat else None

    @property
    def takeovers(self) -> list[Takeover]:
        """One, or none: what is to be started, stopped and waited for beside the loops."""
        return [self._takeover] if self._takeover else []

    def start(self) -> None:
        """After the loops."""
        if self._takeover:
            self._takeover.start()
        if self._ping:
            self._ping.start()

    def tell_to_stop(self) -> None:
        """But for the loops and the takeover. The ping is not waited for: it holds nothing, and the other side may be slow."""
        if self._ping:
            self._ping.tell_to_stop()

    def close(self) -> None:
        """After the loops have ended."""
        if self._index:
            self._index.close()

    def _watcher(self, mongo: MongoStore | None, alert_owed: Callable[[], None]) -> Loop:
        watcher = DeadlineWatcher(self._store.canaries, alert_owed, rest_after_outage=_REST_AFTER_OUTAGE if mongo else timedelta())
        if mongo:
            mongo.on_new_primary(watcher.store_was_away)
        return Loop("watcher", watcher, self._clock)

    def _senders(self) -> list[Loop]:
        names, digest_above = (f"sender-{number}" for number in range(1, _SENDERS + 1)), self._config.alerts.digest_above
        senders = [self._sender(name, self._alert_channels(), digest_above) for name in names]
        return [*senders, self._sender("sender-reports", {REPORTS: self._mail_channel()}, _REPORTS_SINGLY)]

    def _sender(self, name: str, channels: Mapping[str, Channel], digest_above: int) -> Loop:
        return Loop(name, Sender(self._store, self._clock, self._ids, channels, digest_above=digest_above), self._clock)

    def _alert_channels(self) -> Mapping[str, Channel]:
        return {EMAIL: ObservedChannel(self._mail_channel(), self._tries), LOG.channel: LogChannel()}

    def _runner_repair(self, jobs: Jobs) -> Loop:
        from .repair_parts import repair_loop

        return repair_loop(self._config, self._store, self._clock, jobs)

    def _config_backup(self, path: Path, view: RememberingView) -> Step:
        from .backup_parts import config_backup

        return config_backup(path, self._config, self._store, self._clock, view)

    def _make_ping(self, config: HeartbeatConfig) -> Loop:
        from coal_mine.channels.ping import UrlPing

        ages = {loop.name: loop.seconds_since_success for loop in self.loops}
        senders = [ages[f"sender-{number}"] for number in range(1, _SENDERS + 1)]
        # One that has much to send may not come round for long; what it delivers shows that it works.
        passes = {"watcher": [ages["watcher"]], "expander": [ages["expander"]], "senders": [*senders, self._tries.seconds_since_taken]}
        ping = Ping(UrlPing(config.url).send, config.interval, passes, self._tries)
        return Loop("ping", ping, self._clock, max_sleep=config.interval)
