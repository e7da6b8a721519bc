"""Runs in the collection `runs`; see run_documents.py for what a document holds, and indexes.py for how it is found.

Each change of a run is one conditional write of its document, and many of them are one command. Its answer tells how many documents were
as the conditions say, and which ones collided with the unique index of the locks. Where the number is short, the runs are read again, and
each shows by state, epoch, nonce and the time of its end whether it is as the change says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from coal_mine.domain.errors import unknown_run
from coal_mine.domain.job_ports import EndedFilter, RunFilter
from coal_mine.domain.key import Key
from coal_mine.domain.node import Node
from coal_mine.domain.run import LIVE, Origin, Outcome, Run, RunChange, RunState
from coal_mine.domain.times import to_millis

from .commands import MAX_STATEMENTS, Commands, portions
from .documents import Document
from .errors import translated
from .indexes import Indexes
from .output import MongoOutput
from .run_documents import RUNS, document_of, replacement_of, run_of, taken_by, write_of
from .run_filters import condition_of, ended, page_of
from .writes import Write

_NEWEST_FIRST = [("tick", -1), ("_id", -1)]
_LAST_ENDED_FIRST = [("over_at", -1), ("_id", -1)]
_FIRST_DUE = [("due_at", 1), ("priority", -1), ("_id", 1)]
_HOLD_LOCKS = [str(state) for state in (*LIVE, RunState.RETRYING)]
_WAIT = [str(RunState.QUEUED), str(RunState.RETRYING)]
_MARKS = ("state", "epoch", "nonce", "ended_at")
_JOBS_PER_QUERY = 100
_RUNS_PER_QUERY = 1_000
# Whatever is in the way of a run that is planned can be withdrawn once for each change of its job.
_MAX_TRIES = 10
# A document's own part beside the definition, roughly: portions need not be exact.
_FIELDS_BYTES = 2_000


class MongoRuns:
    """domain.ports.RunStore. Reads go to the primary; what is decided on them is written on condition."""

    def __init__(self, database: Database[Document], commands: Commands, output: MongoOutput, indexes: Indexes) -> None:
        self._runs: MongoCollection[Document] = database[RUNS]
        # A run is started because of what is read here, and that cannot be undone.
        self._settled_runs = self._runs.with_options(read_concern=ReadConcern("majority"))
        self._commands = commands
        self._output = output
        self._indexes = indexes

    def add(self, runs: Sequence[Run]) -> int:
        by_id = {run.id: run for run in runs}
        sized = ((_FIELDS_BYTES + len(run.definition_text), document_of(run)) for run in by_id.values())
        return sum(self._add([by_id[document["_id"]] for document in some], some) for some in portions(sized))

    def _add(self, runs: Sequence[Run], documents: Sequence[Document]) -> int:
        """Whoever changes a job withdraws what an older version of it has planned, maybe just now: what was in the way is gone then."""
        count = 0
        left = list(zip(runs, documents, strict=True))
        for _ in range(_MAX_TRIES):
            added = self._commands.insert(RUNS, [document for _, document in left])
            collided = [left[place] for place in added.collided]
            stored = self._versions([run.id for run, _ in collided])
            outdated = [each for each in collided if stored.get(each[0].id, each[0].job_version) < each[0].job_version]
            replaced = self._commands.update(RUNS, [replacement_of(run) for run, _ in outdated]).count if outdated else 0
            count += added.count + replaced
            # Of those that were not replaced nobody knows which they are; what somebody has claimed collides again.
            left = [each for each in collided if each[0].id not in stored] + (outdated if replaced < len(outdated) else [])
            if not left:
                break
        return count

    def _versions(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Of the job, by which each of these runs was planned; those that do not exist are left out."""
        if not run_ids:
            return {}
        with translated():
            found = self._runs.find({"_id": {"$in": run_ids}}, {"job_version": 1})
            return {each["_id"]: each["job_version"] for each in found}

    def change(self, changes: Sequence[RunChange]) -> list[Outcome]:
        if any(change.after.lock and change.after.lock != change.before.lock for change in changes):
            self._indexes.wait_for_locks()
        outcomes: list[Outcome] = []
        for start in range(0, len(changes), MAX_STATEMENTS):
            outcomes += self._change(changes[start : start + MAX_STATEMENTS])
        return outcomes

    def _change(self, changes: Sequence[RunChange]) -> list[Outcome]:
        written = self._commands.update(RUNS, [write_of(change) for change in changes])
        outcomes = [Outcome.LOCKED if place in written.collided else Outcome.WON for place in range(len(changes))]
        if written.count + len(written.collided) < len(changes):
            doubtful = [place for place, outcome in enumerate(outcomes) if outcome is Outcome.WON]
            found = self._marks(changes[place].before.id for place in doubtful)
            for place in doubtful:
                after = changes[place].after
                if found.get(after.id) != (after.state, after.epoch, after.nonce, _millis(after.ended_at)):
                    outcomes[place] = Outcome.LOST
        return outcomes

    def _marks(self, run_ids: Iterable[str]) -> dict[str, tuple[str, int, str, int | None]]:
        """By which a change is recognised. What the write has found or written, a majority has, so this cannot be older."""
        with translated():
            found = self._settled_runs.find({"_id": {"$in": list(run_ids)}}, dict.fromkeys(_MARKS, 1))
            return {each["_id"]: (each["state"], each["epoch"], each.get("nonce", ""), _millis(each.get("ended_at"))) for each in found}

    def get(self, run_id: str) -> Run:
        with translated():
            document = self._runs.find_one({"_id": run_id})
        if document is None:
            raise unknown_run(run_id)
        return run_of(document)

    def find(self, run_ids: Collection[str]) -> dict[str, Run]:
        wanted = list(run_ids)
        parts = [wanted[start : start + _RUNS_PER_QUERY] for start in range(0, len(wanted), _RUNS_PER_QUERY)]
        return {run.id: run for part in parts for run in self._found({"_id": {"$in": part}})}

    def select(self, wanted: RunFilter, *, before: tuple[datetime, str] | None = None, limit: int) -> list[Run]:
        page: list[Run] = []
        for condition in page_of(wanted, before):
            page += self._found(condition, _NEWEST_FIRST, limit - len(page))
        return page

    def keys(self, wanted: RunFilter, *, limit: int) -> list[Key[RunState]]:
        return self._keys(condition_of(wanted), _NEWEST_FIRST, limit)

    def latest(self, job_ids: Collection[str]) -> dict[str, Run]:
        return self._first_of_each(job_ids, _latest_of)

    def ended(self, wanted: EndedFilter, *, limit: int) -> list[Key[RunState]]:
        return self._keys(ended(wanted), _LAST_ENDED_FIRST, limit)

    def last_ended(self, job_ids: Collection[str]) -> dict[str, Run]:
        return self._first_of_each(job_ids, _last_ended_of)

    def due(self, until: datetime, *, node: Node | None, limit: int) -> list[Run]:
        return self._found({"takers": {"$in": taken_by(node)}, "due_at": {"$lte": until}}, _FIRST_DUE, limit)

    def overdue(self, now: datetime, *, limit: int) -> list[Run]:
        return self._found({"expires_at": {"$lte": now}}, [("expires_at", 1), ("_id", 1)], limit)

    def live_on(self, node: str) -> list[Run]:
        return _by_id(self._found({"live_on": node}))

    def live_nodes(self) -> list[str]:
        with translated():
            return sorted(self._runs.distinct("live_on", {"live_on": {"$gte": ""}}))

    def live_of(self, job_id: str) -> list[Run]:
        return _by_id(self._found({"open_of": job_id, "state": {"$in": _HOLD_LOCKS}}))

    def waiting_of(self, job_id: str) -> list[Run]:
        return self._found({"open_of": job_id, "state": {"$in": _WAIT}}, [("tick", 1), ("_id", 1)])

    def of_tick(self, job_id: str, tick: datetime) -> list[Run]:
        return sorted(self._found({"job_id": job_id, "tick": tick}), key=lambda run: run.slot)

    def order(self, run_id: str, order: str) -> bool:
        with translated():
            if self._runs.update_one({"_id": run_id, "live_on": {"$exists": True}}, {"$push": {"orders": order}}).matched_count:
                return True
            if self._runs.find_one({"_id": run_id}, {"_id": 1}) is None:
                raise unknown_run(run_id)
        return False

    def ordered_on(self, node: str) -> list[Run]:
        return _by_id(self._found({"live_on": node, "orders": {"$gte": ""}}))

    def take_order(self, run: Run, order: str) -> bool:
        with translated():
            return self._runs.update_one({"_id": run.id, "orders.0": order}, {"$pop": {"orders": -1}}).matched_count == 1

    def owing(self, before: datetime, *, limit: int) -> list[Run]:
        return self._found({"owed_since": {"$lt": before}}, [("owed_since", 1)], limit)

    def settled(self, runs: Collection[Run]) -> None:
        """Nobody waits until a majority has it: telling again does no harm."""
        alike: dict[tuple[str, int], list[str]] = {}
        for run in runs:
            alike.setdefault((run.state.value, run.epoch), []).append(run.id)
        clear = {"$unset": {"owed_since": ""}}
        writes = [Write({"_id": {"$in": ids}, "state": state, "epoch": epoch}, clear) for (state, epoch), ids in alike.items()]
        if writes:
            self._commands.update(RUNS, writes, multi=True, hasty=True)

    def withdraw(self, job_id: str, *, below: int, after: datetime) -> int:
        never_claimed = {"state": RunState.QUEUED.value, "epoch": 0, "origin": {"$ne": Origin.MANUAL.value}}
        older = {"open_of": job_id, "tick": {"$gt": after}, "job_version": {"$lt": below}}
        return self._commands.delete(RUNS, [{**older, **never_claimed}]).count

    def forget(self, before: datetime, *, limit: int) -> int:
        """The output first: dying in between leaves a run without it, and not output that nobody will ever delete."""
        if not limit:
            return 0
        with translated():
            over = self._runs.find({"over_at": {"$lt": before}}, {"_id": 1}, sort=[("over_at", 1)], limit=limit)
            ids = [found["_id"] for found in over]
        if not ids:
            return 0
        self._output.forget(ids)
        return self._commands.delete(RUNS, [{"_id": {"$in": ids}}]).count

    def _first_of_each(self, job_ids: Collection[str], pipeline_of: Callable[[str], list[dict[str, Any]]]) -> dict[str, Run]:
        wanted = list(dict.fromkeys(job_ids))
        found: list[Document] = []
        with translated():
            for start in range(0, len(wanted), _JOBS_PER_QUERY):
                first, *others = (pipeline_of(job_id) for job_id in wanted[start : start + _JOBS_PER_QUERY])
                pipeline = [*first, *({"$unionWith": {"coll": RUNS, "pipeline": other}} for other in others)]
                found += self._runs.aggregate(pipeline)
        return {document["job_id"]: run_of(document) for document in found}

    def _keys(self, condition: Document, order: list[tuple[str, int]], limit: int) -> list[Key[RunState]]:
        at = order[0][0]
        found = self._documents(condition, order, limit, dict.fromkeys((at, "job_id", "state", "attempt"), 1))
        return [
            Key(at=one[at], id=one["_id"], about=one["job_id"], what=RunState(one["state"]), was_taken=one["attempt"] > 0) for one in found
        ]

    def _found(self, condition: Document, order: list[tuple[str, int]] | None = None, limit: int | None = None) -> list[Run]:
        return [run_of(document) for document in self._documents(condition, order, limit)]

    def _documents(
        self, condition: Document, order: list[tuple[str, int]] | None, limit: int | None, fields: Document | None = None
    ) -> Iterator[Document]:
        if limit == 0:  # which would be no limit
            return
        with translated():
            yield from self._runs.find(condition, fields, sort=order, limit=limit or 0)


def _latest_of(job_id: str) -> list[dict[str, Any]]:
    begun = {"$or": [{"state": {"$ne": RunState.QUEUED.value}}, {"epoch": {"$gt": 0}}]}
    return [{"$match": {"job_id": job_id, **begun}}, {"$sort": dict(_NEWEST_FIRST)}, {"$limit": 1}]


def _last_ended_of(job_id: str) -> list[dict[str, Any]]:
    return [{"$match": ended(EndedFilter(job_id=job_id))}, {"$sort": dict(_LAST_ENDED_FIRST)}, {"$limit": 1}]


def _millis(at: datetime | None) -> int | None:
    return None if at is None else to_millis(at)


def _by_id(runs: Iterable[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: run.id)
