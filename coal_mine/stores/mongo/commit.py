"""Group commit: triggers that arrive together are written together, each answered after its commit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from queue import Empty, SimpleQueue

from pymongo.database import Database

from coal_mine.clock import monotonic
from coal_mine.domain.canary import ORDINARY, Canary, Entry, Transition, Triggered, prunes, triggered
from coal_mine.domain.errors import Invalid, StoreUnavailable, unknown_id
from coal_mine.domain.pending import PendingTrigger, tell_all
from coal_mine.domain.periodicity import stand_in
from coal_mine.domain.ports import TRIGGER_SECONDS
from coal_mine.stores.waiting import trigger_and_wait

from .definitions import Definition, Definitions
from .documents import PROJECTION, Document, canary_of, condition_of, field_condition, update_of
from .errors import WriteRefused, translated
from .history import HISTORY, History, entry_document
from .writes import Write, Writer

_log = logging.getLogger(__name__)

MAX_BATCH = 500  # with comments of the greatest length still one message
_CANARIES = "canaries"
ATTEMPT_SECONDS = 5.0
_RETRY_PAUSE_SECONDS = 0.1
_CLOSE_SECONDS = 5.0


class _Request:
    """A trigger, with what its commit has to remember."""

    __slots__ = ("pending", "told")

    def __init__(self, pending: PendingTrigger) -> None:
        self.pending = pending
        self.told: Triggered | None = None  # what to answer if a write succeeded whose result is not known; repeated, it would find less

    @property
    def canary_id(self) -> str:
        return self.pending.canary_id

    @property
    def entry(self) -> Entry:
        return self.pending.entry

    @property
    def is_open(self) -> bool:
        return self.pending.is_open

    def answer(self, outcome: Triggered) -> None:
        self.pending.outcome = outcome

    def fail(self, error: Exception) -> None:
        self.pending.fail(error)


@dataclass(frozen=True, slots=True)
class _Group:
    """All triggers of one canary in a batch: one change of state, several entries."""

    requests: list[_Request]

    @property
    def oldest(self) -> Entry:
        return min((request.entry for request in self.requests), key=lambda entry: entry.at)

    @property
    def newest(self) -> Entry:
        return max((request.entry for request in self.requests), key=lambda entry: entry.at)

    @property
    def first(self) -> _Request:
        """The one caller that is told of a recovery."""
        return self.requests[0]

    def answer(self, outcome: Triggered) -> None:
        self.first.answer(outcome)
        for request in self.requests[1:]:
            request.answer(ORDINARY)

    def fail_as_unknown(self, canary_id: str) -> None:
        for request in self.requests:
            request.fail(unknown_id(canary_id))


class GroupCommit:
    """One thread that takes all triggers that wait and commits them together.

    1. The entries are inserted into the history. Their ids come from the callers, so that repeating this changes nothing.
    2. The ordinary case is written for all canaries at once: neither late nor paused, in time, the definition as we know it, nothing newer.
       `last_event_at` missing (a predecessor's canary) does not match and goes the other way, once.
    3. A bulk write tells only how many matched. If some did not, all are read again; those that are not yet as they should be are changed
       through canary.triggered, each on the condition that it still is as it was read, again all at once; and so on until none is left.
    4. It is waited until all this is durable (see writes.py), then the callers are answered.
    5. A result that is not known (connection lost, primary stepped down) is followed by the same attempt from 1, until the callers' time
       is over.
    """

    def __init__(
        self,
        database: Database[Document],
        history: History,
        prune: Callable[[str, datetime], None],
        *,
        patience: float = TRIGGER_SECONDS,
    ) -> None:
        self._canaries = database[_CANARIES]
        self._writer = Writer(database)
        self._history = history
        self._prune = prune
        self._patience = patience
        self._definitions = Definitions(self._canaries)
        self._misread: set[str] = set()  # canaries whose definition we could not read, each logged once
        self._queue: SimpleQueue[_Request | None] = SimpleQueue()
        self._closing = False
        self._give_up = threading.Event()
        # A daemon, so that a store that nobody closed does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self._thread.start()

    def trigger(self, canary_id: str, entry: Entry) -> Triggered:
        return trigger_and_wait(self.submit, canary_id, entry, self._patience)

    def submit(self, pending: PendingTrigger) -> None:
        if self._closing:
            raise StoreUnavailable("the store is closed")
        self._queue.put(_Request(pending))

    def close(self) -> None:
        """Commit what was accepted. If MongoDB does not answer, the callers that still wait get StoreUnavailable."""
        self._closing = True
        self._queue.put(None)
        self._thread.join(_CLOSE_SECONDS)
        self._give_up.set()
        self._thread.join(ATTEMPT_SECONDS + 1)

    def _run(self) -> None:
        waiting: list[_Request] = []
        goes_on = True
        while goes_on or waiting:
            goes_on = self._receive(waiting) and goes_on
            waiting = self._commit(waiting)
            if waiting and self._give_up.wait(_RETRY_PAUSE_SECONDS):
                _refuse(waiting, "the store is closing and MongoDB does not answer")
                waiting = []

    def _receive(self, waiting: list[_Request]) -> bool:
        """Add all that wait in the queue; block for the first when there is nothing else to do. False: nothing will come any more."""
        goes_on = True
        try:
            item = self._queue.get(block=not waiting and not self._closing)
            while True:
                if item is None:
                    goes_on = False
                else:
                    waiting.append(item)
                item = self._queue.get_nowait()
        except Empty:
            return goes_on

    def _commit(self, requests: list[_Request]) -> list[_Request]:
        """One attempt for all; returns those that have to be tried again."""
        now = monotonic()
        _refuse((request for request in requests if request.pending.expires <= now), "the trigger could not be committed in time")
        requests = [request for request in requests if request.is_open]
        for start in range(0, len(requests), MAX_BATCH):
            batch = requests[start : start + MAX_BATCH]
            goes_on = self._write_batch(batch)
            tell_all(request.pending for request in batch if not request.is_open)
            if not goes_on:
                break
        return [request for request in requests if request.is_open]

    def _write_batch(self, batch: list[_Request]) -> bool:
        """False: MongoDB does not answer, the others need not be tried now."""
        try:
            self._write(batch)
        except WriteRefused as error:
            _log.warning("a batch of %d triggers is divided: %s", len(batch), error, extra={"action": "commit_divided"})
            self._write_singly(batch)
        except StoreUnavailable as error:
            _log.warning("triggers wait: %s", error, extra={"action": "commit_retry", "waiting": len(batch)})
            for request in batch:  # it may have been read from a primary whose last writes are undone, versions included
                self._definitions.forget(request.canary_id)
            return False
        except Exception:  # noqa: BLE001 - the thread must live; logged, and each trigger is tried alone
            _log.exception("a batch of %d triggers failed", len(batch), extra={"action": "commit_failed"})
            self._write_singly(batch)
        return True

    def _write_singly(self, requests: list[_Request]) -> None:
        """One trigger that cannot be written must not take the others with it."""
        for request in requests:
            if not request.is_open:
                continue
            try:
                try:
                    self._write([request])
                except WriteRefused:
                    # A predecessor's canary can be so full that not even a field can be added to it.
                    self._make_room(request.canary_id)
                    self._write([request])
            except WriteRefused as error:
                request.fail(error)
            except StoreUnavailable:
                return
            except Exception as error:  # noqa: BLE001 - the thread's top; the caller of the trigger gets the text
                request.fail(StoreUnavailable(f"the trigger cannot be stored: {error!r}"[:300]))

    def _make_room(self, canary_id: str) -> None:
        with translated(ATTEMPT_SECONDS):
            self._history.move_those({"id": canary_id})

    def _write(self, requests: list[_Request]) -> None:
        patience = max(request.pending.expires for request in requests) - monotonic()
        with translated(min(ATTEMPT_SECONDS, max(patience, 0.05))):
            groups = _grouped(requests)
            definitions = self._definitions.of(groups)
            for canary_id in groups.keys() - definitions.keys():
                groups.pop(canary_id).fail_as_unknown(canary_id)
            if not groups:
                return
            entries = [entry_document(request.canary_id, request.entry) for group in groups.values() for request in group.requests]
            self._writer.insert_missing(HISTORY, entries)
            if self._write_ordinary(groups, definitions):
                for group in groups.values():
                    group.answer(group.first.told or ORDINARY)
            else:
                self._write_others(groups)
        for request in requests:
            if request.pending.outcome and prunes(request.entry):
                self._prune(request.canary_id, request.entry.at)

    def _write_ordinary(self, groups: Mapping[str, _Group], definitions: Mapping[str, Definition]) -> bool:
        """True when this was all there was to do."""
        times: dict[str, tuple[datetime, datetime]] = {}  # of each canary's newest trigger, and of the deadline that follows
        for canary_id, group in groups.items():
            at = group.newest.at
            with suppress(Invalid):
                times[canary_id] = at, definitions[canary_id].periodicity.deadline_after(at)
            group.first.told = group.first.told or ORDINARY
        return len(times) == len(groups) and self._writer.update_each(_CANARIES, _ordinary_writes(times, definitions)) == len(groups)

    def _write_others(self, groups: dict[str, _Group]) -> None:
        """Change what is not yet as its triggers want it, whatever its state; answers all groups."""
        answers: list[tuple[_Group, Triggered]] = []
        while groups:
            documents = {each["id"]: each for each in self._canaries.find({"id": {"$in": list(groups)}}, PROJECTION)}
            writes = []
            for canary_id, group in list(groups.items()):
                document = documents.get(canary_id)
                if document is None:
                    self._fail_unknown(groups.pop(canary_id), canary_id)
                    continue
                write, outcome = self._write_of(group, document)
                if write:
                    writes.append(write)
                else:
                    answers.append((groups.pop(canary_id), outcome))
            if writes and self._writer.update_each(_CANARIES, writes) == len(writes):
                answers += [(group, group.first.told or ORDINARY) for group in groups.values()]
                groups.clear()
        self._writer.wait(_CANARIES)  # for the entries, and for what others have written and some answers rest on
        for group, outcome in answers:
            group.answer(outcome)

    def _fail_unknown(self, group: _Group, canary_id: str) -> None:
        self._definitions.forget(canary_id)
        self._history.discard(canary_id, (request.entry for request in group.requests))
        group.fail_as_unknown(canary_id)

    def _write_of(self, group: _Group, document: Document) -> tuple[Write | None, Triggered]:
        """What is still to be written for a group, if anything, and what its first caller is told then."""
        canary = canary_of(document)
        self._definitions.learn(canary.id, canary.periodicity, canary.version)
        if group.first.told and canary.last_event_at == group.newest.at and not canary.paused:
            # An earlier write was ours, though we do not know its result. The canary may be late again since then, and stays so.
            return None, group.first.told
        transition, outcome = _folded(self._computable(canary, group.newest.at), group)
        if not transition.changed:
            return None, outcome
        group.first.told = outcome
        return Write(condition_of(transition), update_of(transition, document.get("alerted_at"))), outcome

    def _computable(self, canary: Canary, at: datetime) -> Canary:
        """The canary, with a stand-in when its definition cannot be read."""
        try:
            canary.periodicity.deadline_after(at)
        except Invalid as error:
            instead = replace(canary, periodicity=stand_in(canary.last_event_at, canary.deadline))
            if canary.id not in self._misread:
                self._misread.add(canary.id)
                _log.error(
                    "canary %s: its schedule cannot be read and %s is taken instead; correct its periodicity: %s",
                    canary.id, instead.periodicity, error,
                    extra={"action": "definition_unreadable", "canary_id": canary.id},
                )  # fmt: skip
            return instead
        return canary


def _ordinary_writes(times: Mapping[str, tuple[datetime, datetime]], definitions: Mapping[str, Definition]) -> list[Write]:
    """One write for all canaries whose definitions have the same version: several times faster than one for each of them.

    Its condition is stricter than it need be: no canary may be due before the last trigger, nor have seen an event after the first one.
    """
    first, last = min(at for at, _ in times.values()), max(at for at, _ in times.values())
    ids, seen, deadlines = list(times), [at for at, _ in times.values()], [deadline for _, deadline in times.values()]
    place = {"$indexOfArray": [{"$literal": ids}, "$id"]}
    update: list[Document] = [
        {
            "$set": {
                name: {"$arrayElemAt": [{"$literal": values}, place]} for name, values in (("deadline", deadlines), ("last_event_at", seen))
            }
        }
    ]
    by_version: dict[int, list[str]] = {}
    for canary_id in ids:
        by_version.setdefault(definitions[canary_id].version, []).append(canary_id)
    usual = {"late": False, "paused": False, "deadline": {"$gt": last}, "last_event_at": {"$lte": first}}
    return [Write({"id": {"$in": some}, **usual, **field_condition("version", version)}, update) for version, some in by_version.items()]


def _folded(canary: Canary, group: _Group) -> tuple[Transition, Triggered]:
    """The change by the oldest trigger followed by the newest one.

    The oldest decides whether the canary was triggered in time; those between add nothing.
    """
    first, found = triggered(canary, group.oldest)
    if group.newest.at <= group.oldest.at:
        return first, found
    last, found_then = triggered(first.after, group.newest)
    transition = replace(first, after=last.after, owe=first.owe + last.owe, withdraw=first.withdraw or last.withdraw)
    return transition, Triggered(recovered=found.recovered or found_then.recovered, unpaused=found.unpaused or found_then.unpaused)


def _grouped(requests: Iterable[_Request]) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for request in requests:
        groups.setdefault(request.canary_id, _Group([])).requests.append(request)
    return groups


def _refuse(requests: Iterable[_Request], text: str) -> None:
    refused = list(requests)
    for request in refused:
        request.fail(StoreUnavailable(text))
    tell_all(request.pending for request in refused)
