"""Moneta's audit log: changes of tasks, executions and reports in one list, read from the audit log and from the runs.

Of each of the three the keys of the newest are read, MOST at the most. They say what there is, what of it is wanted and where it stands;
what stands on the page is then read and made documents, some at a time. So no page costs more than MOST keys of each and what is on it,
however much has happened, and no page or count reaches further.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from coal_mine.domain.audit import AuditEntry, AuditFilter, AuditStore
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job_ports import EndedFilter, OutputStore, RunFilter, RunStore
from coal_mine.domain.key import Key
from coal_mine.domain.ports import Store
from coal_mine.domain.run import ENDED, Run
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
from .shown import is_task

# Of the newest of each of the three, of whatever jobs, within the time asked for; older ones are found by asking for an earlier time.
MOST = 10_000
MAX_PAGE = 1_000
# Of the output of all runs on one page, and what each line counts beside its text, for there are words around it.
_BYTES_OF_PAGE = 10_000_000
_BYTES_OF_LINE = 100
# Of the tasks in all changes on one page, as they are stored.
_CHARACTERS_OF_PAGE = 10_000_000
_READ_AT_ONCE = 20


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


_Sort = tuple[str, str]  # type and level
# The time of a record, its source's place, and its id. What comes of something else at the same moment stands above it.
_Place = tuple[datetime, int, str]
# Making one may need what is read only then.
_Documents = dict[str, Callable[[], Document | None]]


class _Source(Protocol):
    def newest(self, wanted: LogQuery) -> Iterable[tuple[Key[Any], _Sort]]:
        """In the time and of the task that are asked for, the newest first, at most MOST; of all sorts."""

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
        counts: Counter[_Sort] = Counter()
        found: list[_Place] = []
        for place, source in enumerate(sources):
            newest = [(key, sort) for key, sort in source.newest(wanted) if wanted.task is not None or is_task(key.about)]
            counts.update(sort for _, sort in newest)
            found += [(key.at, place, key.id) for key, sort in newest if wanted.wants(*sort)]
        page = sorted(found, reverse=True)[wanted.offset : wanted.offset + wanted.limit]
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

    def newest(self, wanted: LogQuery) -> Iterator[tuple[Key[Any], _Sort]]:
        for key in self._store.keys(AuditFilter(since=wanted.since, until=wanted.until, subject=wanted.task), limit=MOST):
            if key.what in OF_KINDS:
                yield key, (OF_KINDS[key.what], INFO)

    def documents(self, ids: Sequence[str]) -> _Documents:
        return {name: partial(self._document, entry) for name, entry in self._store.find(ids).items()} if ids else {}

    def _document(self, entry: AuditEntry) -> Document | None:
        self._left -= len(entry.old) + len(entry.new)
        return change_document(self._as_task, entry if self._left >= 0 else replace(entry, old="", new=""))


class _Executions:
    def __init__(self, store: RunStore) -> None:
        self._store = store

    def newest(self, wanted: LogQuery) -> Iterator[tuple[Key[Any], _Sort]]:
        for key in self._store.keys(RunFilter(job_id=wanted.task, since=wanted.since, until=wanted.until), limit=MOST):
            if key.was_taken or key.what in ENDED:
                yield key, (EXECUTION, SUCCESS if key.was_taken else ALERT)

    def documents(self, ids: Sequence[str]) -> _Documents:
        return {name: partial(execution_document, run) for name, run in self._store.find(ids).items()} if ids else {}


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

    def newest(self, wanted: LogQuery) -> Iterator[tuple[Key[Any], _Sort]]:
        for key in self._store.ended(EndedFilter(job_id=wanted.task, since=wanted.since, until=wanted.until), limit=MOST):
            yield key, (REPORT, level_of(key.what))

    def documents(self, ids: Sequence[str]) -> _Documents:
        return {name: partial(self._outputs.document, run) for name, run in self._store.find(ids).items()} if ids else {}


def _sums(counts: Mapping[_Sort, int], name_of: Callable[[str, str], str]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for (kind, level), number in counts.items():
        sums[name_of(kind, level)] += number
    return dict(sorted(sums.items()))
