"""Keeps a file with the whole configuration, as older systems had it: written anew whenever a job or an option has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coal_mine.clock import monotonic
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Job
from coal_mine.domain.job_ports import ChangedJob, JobFilter
from coal_mine.domain.ports import Store

from .backup_file import BackupFile, Form, has_tasks

_log = logging.getLogger(__name__)

EVERY = timedelta(seconds=1)
# In case somebody else has written to the file, or another process something old.
CHECKED_EVERY = timedelta(minutes=10)
# A change may be stored as much later than its time says.
STORED_WITHIN = timedelta(minutes=2)
_AT_ONCE = 500
# Many jobs take long to write; of the time at most a tenth is spent on that.
_REST_TIMES = 10
_LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells that something has changed, without reading all jobs.

    A job that is created or changed is among those changed lately; one that is deleted lowers the number.
    """

    lately: frozenset[ChangedJob] = frozenset()
    count: int = -1
    options: Mapping[str, Any] | None = None

    def differs(self, earlier: _Mark) -> bool:
        return bool(self.lately - earlier.lately) or (self.count, self.options) != (earlier.count, earlier.options)


class ConfigBackup:
    """Any number may write the same file, since all write the same.

    What has changed is found in the store, because other processes change it, too. The mark is taken before the jobs are read: a change
    in between is in the file already or differs from the mark the next time.
    """

    def __init__(
        self, store: Store, file: BackupFile, form: Form, *,
        task: Callable[[Job], Mapping[str, Any] | None], options: Callable[[], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        """`task` is a job as the file has it, None for one that does not belong there; `options` are the file's other members."""
        self._jobs = store.jobs
        self._file = file
        self._form = form
        self._task = task
        self._options = options
        self._written = _Mark()
        self._check_at: datetime | None = None
        self._look_at: datetime | None = None
        self._failures = 0

    def run_once(self, now: datetime) -> datetime:
        if self._look_at is None or now >= self._look_at:
            begin = monotonic()
            done = self._bring_up_to_date(now)
            self._look_at = now + (self._rest(monotonic() - begin) if done else self._pause())
        return self._look_at

    def _bring_up_to_date(self, now: datetime) -> bool:
        """Whether the file says now what the store says."""
        mark = self._mark(now)
        try:
            if mark.differs(self._written) or self._check_at is None or now >= self._check_at or not self._file.exists():
                self._write(now)
                self._check_at = now + CHECKED_EVERY
        except (OSError, Invalid) as error:  # the latter when a job cannot be read
            self._complain(getattr(error, "strerror", None) or str(error))
            return False
        self._written = mark
        self._failures = 0
        return True

    def _write(self, now: datetime) -> None:
        tasks = dict(self._tasks())
        content = self._form({"tasks": tasks, **self._options()})
        before = self._file.content()
        if content == before:
            return
        if not tasks and has_tasks(before):  # a store that was lost and made anew is empty, and this file is what brings it back
            kept = self._file.keep(before)
            _log.warning("no task is left; what %s said before is kept in %s", self._file, kept, extra={"action": "config_backup_kept"})
        self._file.replace(content)
        self._file.remove_left_behind(now)
        _log.info("the configuration was written to %s", self._file, extra={"action": "config_backup"})

    def _tasks(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        after = ""
        while page := self._jobs.select(JobFilter(), after=after, limit=_AT_ONCE):
            for job in page:
                try:
                    task = self._task(job)
                except Exception:  # noqa: BLE001 - one job that cannot be shown must not keep the others out of the file
                    _log.exception("%s lacks job %s", self._file, job.id, extra={"action": "config_backup_incomplete", "job_id": job.id})
                    continue
                if task is not None:
                    yield job.id, task
            after = page[-1].id

    def _mark(self, now: datetime) -> _Mark:
        return _Mark(frozenset(self._lately(now)), self._jobs.count(JobFilter()), self._options())

    def _lately(self, now: datetime) -> Iterator[ChangedJob]:
        behind = (now - STORED_WITHIN, "")
        while page := self._jobs.changed(behind, limit=_AT_ONCE):
            yield from page
            behind = (page[-1].changed_at, page[-1].id)

    def _complain(self, fault: str) -> None:
        self._failures += 1
        _log.error(
            "THE CONFIGURATION CANNOT BE WRITTEN to %s: %s; trying again in %.0f s", self._file, fault,
            self._pause().total_seconds(), extra={"action": "config_backup_failed"},
        )  # fmt: skip

    def _pause(self) -> timedelta:
        """After a failure; longer each time."""
        return min(EVERY * float(2 ** min(self._failures, 10)), _LONGEST_PAUSE)

    @staticmethod
    def _rest(seconds: float) -> timedelta:
        """After a success."""
        return min(max(EVERY, timedelta(seconds=seconds * _REST_TIMES)), _LONGEST_PAUSE)
