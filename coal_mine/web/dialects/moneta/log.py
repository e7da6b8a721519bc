"""Moneta's audit log: changes of tasks, executions and reports in one list, read from the audit log and from the runs.

Of each of the three no more is read than what says where its records stand, the newest first, as far as the page that is asked for may
reach; what stands on the page is then read and made documents, some at a time. So no page costs more than the places of MOST of each,
which is also how far pages and counts go, and what is on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditKind, AuditStore
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job_ports import EndedFilter, OutputStore, RunFilter, RunStore
from coal_mine.domain.ports import Store
from coal_mine.domain.run import ENDED, Run, RunState
from coal_mine.services.run_output import END_BYTES, end_of_output

from .documents import (
    ALERT,
    EXECUTION,
    INFO,
    MAX_LINES,
    OF_KINDS,
    REPORT,
    SUCCESS,
    AsTask,
    Document,
    change_document,
    execution_document,
    level_of,
    report_document,
)

# Of the newest records of each type within the time asked for; older ones are found by asking for an earlier time.
MOST = 10_000
MAX_PAGE = 1_000
# Of the output of all runs on one page, and what each line counts beside its text, for there are words around it.
_BYTES_OF_PAGE = 10_000_000
_BYTES_OF_LINE = 100
# Of the tasks in all changes on one page, as they are stored.
_CHARACTERS_OF_PAGE = 10_000_000
_PAGE = 500
_READ_AT_ONCE = 20
# In which a run may be that no node has taken or will take.
_UNTAKEN = frozenset({RunState.MISSED, RunState.SKIPPED, RunState.FAILED, RunState.KILLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    since: datetime
    until: datetime  # the record is before it
    task: str | None = None  # None: all, of which jobs that are no tasks for their ids are none
    levels: frozenset[str] | None = None
    types: frozenset[str] | None = None
    offset: int = 0
    limit: int = 100

    def wants(self, kind: str, level: str) -> bool:
        return (self.types is None or kind in self.types) and (self.levels is None or level in self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    records: Sequence[Document]  # the newest first
    count: int  # of all that would be listed without a limit
    levels: Mapping[str, int]  # of all in that time and of that task
    types: Mapping[str, int]


# The time of a record, its source's place, and its id. What comes of something else at the same moment stands above it.
_Place = tuple[datetime, int, str]
# Making one may need what is read only then.
_Documents = dict[str, Callable[[], Document | None]]


class _Source(Protocol):
    def count(self, wanted: LogQuery) -> Iterator[tuple[tuple[str, str], int]]:
        """Types and levels, whichever are wanted, and how many there are."""

    def newest(self, wanted: LogQuery, most: int) -> Sequence[tuple[datetime, str]]:
        """Time and id of each."""

    def documents(self, ids: Sequence[str]) -> _Documents:
        """Of those that are still there, by id; to be made in the order of the page."""


class MonetaLog:
    def __init__(self, store: Store, as_task: AsTask) -> None:
        """`as_task` is a definition as Moneta has it, with the id of the job."""
        self._store = store
        self._as_task = as_task

    def read(self, wanted: LogQuery) -> LogPage:
        """Raises Invalid."""
        if wanted.offset + wanted.limit > MOST:
            raise Invalid(f"offset and limit reach behind the {MOST} newest records: ask for an earlier time by until")
        sources = self._sources()
        counts: Counter[tuple[str, str]] = Counter()
        for source in sources:
            counts.update(dict(source.count(wanted)))
        end = wanted.offset + wanted.limit
        found = (
            [(at, place, name) for place, source in enumerate(sources) for at, name in source.newest(wanted, end)] if wanted.limit else []
        )
        page = sorted(found, reverse=True)[wanted.offset : end]
        return LogPage(
            records=list(_made(sources, page)),
            count=min(sum(number for (kind, level), number in counts.items() if wanted.wants(kind, level)), MOST),
            levels=_sums(counts, lambda kind, level: level),
            types=_sums(counts, lambda kind, level: kind),
        )

    def _sources(self) -> list[_Source]:
        store = self._store
        return [_Changes(store.audit, self._as_task), _Executions(store.runs), _Reports(store.runs, _Outputs(store.output))]


def _made(sources: Sequence[_Source], page: Sequence[_Place]) -> Iterator[Document]:
    for start in range(0, len(page), _READ_AT_ONCE):
        some = page[start : start + _READ_AT_ONCE]
        found = [source.documents([name for _, of, name in some if of == place]) for place, source in enumerate(sources)]
        for _, place, name in some:
            make = found[place].get(name)
            if make and (document := make()):
                yield document


class _Changes:
    """The newest on a page with the tasks that they tell of, until these are too much."""

    def __init__(self, store: AuditStore, as_task: AsTask) -> None:
        self._store = store
        self._as_task = as_task
        self._left = _CHARACTERS_OF_PAGE

    def count(self, wanted: LogQuery) -> Iterator[tuple[tuple[str, str], int]]:
        for kind, number in self._store.count(self._filter(wanted, frozenset(OF_KINDS)), limit=MOST).items():
            yield (OF_KINDS[kind], INFO), number

    def newest(self, wanted: LogQuery, most: int) -> Sequence[tuple[datetime, str]]:
        kinds = frozenset(kind for kind, name in OF_KINDS.items() if wanted.wants(name, INFO))
        return self._store.keys(self._filter(wanted, kinds), limit=most) if kinds else []

    def documents(self, ids: Sequence[str]) -> _Documents:
        return {name: partial(self._document, entry) for name, entry in self._store.find(ids).items()} if ids else {}

    def _document(self, entry: AuditEntry) -> Document | None:
        self._left -= len(entry.old) + len(entry.new)
        return change_document(self._as_task, entry if self._left >= 0 else replace(entry, old="", new=""))

    @staticmethod
    def _filter(wanted: LogQuery, kinds: frozenset[AuditKind]) -> AuditFilter:
        return AuditFilter(since=wanted.since, until=wanted.until, subject=wanted.task, kinds=kinds, plain_subjects=wanted.task is None)


class _Executions:
    def __init__(self, store: RunStore) -> None:
        self._store = store

    def count(self, wanted: LogQuery) -> Iterator[tuple[tuple[str, str], int]]:
        counts: Counter[str] = Counter()
        for (state, was_taken), number in self._store.tally(self._filter(wanted, None), limit=MOST).items():
            if was_taken or state in ENDED:
                counts[SUCCESS if was_taken else ALERT] += number
        yield from (((EXECUTION, level), number) for level, number in counts.items())

    def documents(self, ids: Sequence[str]) -> _Documents:
        return {name: partial(execution_document, run) for name, run in self._store.find(ids).items()} if ids else {}

    def newest(self, wanted: LogQuery, most: int) -> Sequence[tuple[datetime, str]]:
        good, bad = wanted.wants(EXECUTION, SUCCESS), wanted.wants(EXECUTION, ALERT)
        states = None if good else _UNTAKEN
        found: list[tuple[datetime, str]] = []
        looked_at, before = 0, None
        while (good or bad) and len(found) < most and looked_at < MOST:
            page = self._store.keys(self._filter(wanted, states), before=before, limit=min(max(most, 100), _PAGE, MOST - looked_at))
            if not page:
                break
            found += [
                (each.tick, each.id) for each in page if (each.was_taken and good) or (not each.was_taken and each.state in ENDED and bad)
            ]
            looked_at += len(page)
            before = (page[-1].tick, page[-1].id)
        return found[:most]

    @staticmethod
    def _filter(wanted: LogQuery, states: frozenset[RunState] | None) -> RunFilter:
        return RunFilter(job_id=wanted.task, states=states, since=wanted.since, until=wanted.until, plain_ids=wanted.task is None)


class _Outputs:
    """What the runs of one page have written, the newest first, until there is too much of it."""

    def __init__(self, store: OutputStore) -> None:
        self._store = store
        self._left = _BYTES_OF_PAGE

    def document(self, run: Run) -> Document | None:
        lines = end_of_output(self._store, run, min(END_BYTES, self._left))[-MAX_LINES:] if self._left > 0 else []
        self._left -= sum(_BYTES_OF_LINE + len(line.data) for line in lines)
        return report_document(run, lines)


class _Reports:
    def __init__(self, store: RunStore, outputs: _Outputs) -> None:
        self._store = store
        self._outputs = outputs

    def count(self, wanted: LogQuery) -> Iterator[tuple[tuple[str, str], int]]:
        counts: Counter[str] = Counter()
        for state, number in self._store.tally_ended(self._filter(wanted, None), limit=MOST).items():
            counts[level_of(state)] += number
        yield from (((REPORT, level), number) for level, number in counts.items())

    def newest(self, wanted: LogQuery, most: int) -> Sequence[tuple[datetime, str]]:
        states = frozenset(state for state in ENDED if wanted.wants(REPORT, level_of(state)))
        return self._store.ended_keys(self._filter(wanted, None if states == ENDED else states), limit=most) if states else []

    def documents(self, ids: Sequence[str]) -> _Documents:
        return {name: partial(self._outputs.document, run) for name, run in self._store.find(ids).items()} if ids else {}

    @staticmethod
    def _filter(wanted: LogQuery, states: frozenset[RunState] | None) -> EndedFilter:
        return EndedFilter(job_id=wanted.task, states=states, since=wanted.since, until=wanted.until, plain_ids=wanted.task is None)


def _sums(counts: Mapping[tuple[str, str], int], name_of: Callable[[str, str], str]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for (kind, level), number in counts.items():
        sums[name_of(kind, level)] += number
    return dict(sorted(sums.items()))
