"""Moneta's audit log: changes of tasks, executions and reports in one list, read from the audit log and from the runs.

Each of the three is read newest first, as far as the page that is asked for may reach; only what stands on the page is made a document.
So no page costs more than MOST of each, which is also how far pages and counts go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from coal_mine.domain.audit import AuditFilter, AuditKind, AuditStore
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job_ports import EndedFilter, OutputStore, RunFilter, RunStore
from coal_mine.domain.ports import Store
from coal_mine.domain.run import ENDED, Run, RunState
from coal_mine.services.run_output import end_of_output

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
    report_document,
    was_executed,
)

# Of the newest records of each type within the time asked for; older ones are found by asking for an earlier time.
MOST = 10_000
MAX_PAGE = 1_000
# Of the end of a run's output, in which its last lines are looked for.
_BYTES = 1_000_000
# Of the output of all runs on one page, and what each line counts beside its text, for there are words around it.
_BYTES_OF_PAGE = 10_000_000
_BYTES_OF_LINE = 100
_PAGE = 500
_GOOD = frozenset({RunState.DONE})
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


@dataclass(frozen=True, slots=True)
class _Record:
    order: tuple[datetime, int, str]  # what comes of something else at the same moment stands above it
    document: Callable[[], Document | None]


class _Source(Protocol):
    def count(self, wanted: LogQuery) -> Iterator[tuple[tuple[str, str], int]]:
        """Types and levels, whichever are wanted, and how many there are."""

    def newest(self, wanted: LogQuery, most: int) -> list[_Record]: ...


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
        found = [record for source in sources for record in source.newest(wanted, end)] if wanted.limit else []
        page = sorted(found, key=lambda record: record.order, reverse=True)[wanted.offset : end]
        return LogPage(
            records=[document for record in page if (document := record.document())],
            count=min(sum(number for (kind, level), number in counts.items() if wanted.wants(kind, level)), MOST),
            levels=_sums(counts, lambda kind, level: level),
            types=_sums(counts, lambda kind, level: kind),
        )

    def _sources(self) -> list[_Source]:
        store = self._store
        return [_Changes(store.audit, self._as_task), _Executions(store.runs), _Reports(store.runs, _Outputs(store.output))]


class _Changes:
    def __init__(self, store: AuditStore, as_task: AsTask) -> None:
        self._store = store
        self._as_task = as_task

    def count(self, wanted: LogQuery) -> Iterator[tuple[tuple[str, str], int]]:
        for kind, number in self._store.count(self._filter(wanted, frozenset(OF_KINDS))).items():
            yield (OF_KINDS[kind], INFO), number

    def newest(self, wanted: LogQuery, most: int) -> list[_Record]:
        kinds = frozenset(kind for kind, name in OF_KINDS.items() if wanted.wants(name, INFO))
        entries = self._store.select(self._filter(wanted, kinds), limit=most) if kinds else []
        return [_Record((entry.at, 0, entry.id), partial(change_document, self._as_task, entry)) for entry in entries]

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

    def newest(self, wanted: LogQuery, most: int) -> list[_Record]:
        return [_Record((run.tick, 1, run.id), partial(execution_document, run)) for run in self._found(wanted, most)]

    def _found(self, wanted: LogQuery, most: int) -> list[Run]:
        good, bad = wanted.wants(EXECUTION, SUCCESS), wanted.wants(EXECUTION, ALERT)
        states = None if good else _UNTAKEN
        found: list[Run] = []
        looked_at, before = 0, None
        while (good or bad) and len(found) < most and looked_at < MOST:
            page = self._store.select(self._filter(wanted, states), before=before, limit=min(max(most, 100), _PAGE, MOST - looked_at))
            if not page:
                break
            found += [run for run in page if (taken := was_executed(run)) is not None and (good if taken else bad)]
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
        lines = end_of_output(self._store, run, min(_BYTES, self._left))[-MAX_LINES:] if self._left > 0 else []
        self._left -= sum(_BYTES_OF_LINE + len(line.data) for line in lines)
        return report_document(run, lines)


class _Reports:
    def __init__(self, store: RunStore, outputs: _Outputs) -> None:
        self._store = store
        self._outputs = outputs

    def count(self, wanted: LogQuery) -> Iterator[tuple[tuple[str, str], int]]:
        counts: Counter[str] = Counter()
        for state, number in self._store.tally_ended(self._filter(wanted, None), limit=MOST).items():
            counts[SUCCESS if state in _GOOD else ALERT] += number
        yield from (((REPORT, level), number) for level, number in counts.items())

    def newest(self, wanted: LogQuery, most: int) -> list[_Record]:
        states = frozenset[RunState]()
        if wanted.wants(REPORT, SUCCESS):
            states |= _GOOD
        if wanted.wants(REPORT, ALERT):
            states |= ENDED - _GOOD
        runs = self._store.ended(self._filter(wanted, None if states == ENDED else states), limit=most) if states else []
        return [_Record((run.ended_at or run.tick, 2, run.id), partial(self._outputs.document, run)) for run in runs]

    @staticmethod
    def _filter(wanted: LogQuery, states: frozenset[RunState] | None) -> EndedFilter:
        return EndedFilter(job_id=wanted.task, states=states, since=wanted.since, until=wanted.until, plain_ids=wanted.task is None)


def _sums(counts: Mapping[tuple[str, str], int], name_of: Callable[[str, str], str]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for (kind, level), number in counts.items():
        sums[name_of(kind, level)] += number
    return dict(sorted(sums.items()))
