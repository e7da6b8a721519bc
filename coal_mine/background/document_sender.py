"""Sends the documents that Elasticsearch is owed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from coal_mine.domain.alert import ELASTICSEARCH, Claim, Delivery, DeliveryState
from coal_mine.domain.errors import DeliveryFailed, StoreUnavailable
from coal_mine.domain.ports import Clock, Ids, Outbox, Store
from coal_mine.services.document_maker import DocumentMaker
from coal_mine.services.documents import Made, SentDocument, Taken
from coal_mine.services.owed_documents import OwedDocuments

_log = logging.getLogger(__name__)

# Longer than a request may take.
LEASE = timedelta(seconds=30)
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)
# After a pass in which some documents were not taken and others were. One in which none was doubles it.
PARTLY_RETRY = timedelta(seconds=10)
_CLAIMED_AT_ONCE = 500
_SENT_AT_ONCE = 200
_CHARACTERS_AT_ONCE = 5_000_000
# That they are wanted is said so often, and lets whoever owes them go on for days.
_WANTED_EVERY = timedelta(hours=1)


class DocumentIndex(Protocol):
    """Where documents go."""

    name: str  # in the words of the log

    def send(self, documents: Sequence[SentDocument]) -> Taken:
        """Raises DeliveryFailed when it is not known that any was taken."""

    def close(self) -> None:
        """Drop kept connections. May be called twice."""


class DocumentSender:
    """Any number of processes may have one: the claim of the one receiver makes that a single one sends."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, index: DocumentIndex, maker: DocumentMaker, owed: OwedDocuments) -> None:
        self._outbox = store.outbox
        self._clock = clock
        self._ids = ids
        self._index = index
        self._maker = maker
        self._owed = owed
        self._want_at: datetime | None = None
        self._pass = _Pass()
        self._fruitless = 0  # so many passes in a row have settled nothing

    def run_once(self, now: datetime) -> datetime | None:
        if self._want_at is None or now >= self._want_at:
            self._owed.want()
            self._want_at = now + _WANTED_EVERY
        next_attempt = self._outbox.next_attempt(now, (ELASTICSEARCH.channel,))
        if next_attempt is None or next_attempt > now:
            return next_attempt
        claim = self._outbox.claim_oldest(
            ELASTICSEARCH, now=now, lease=LEASE, token=self._ids.nonce(), limit=_CLAIMED_AT_ONCE, after=self._pass.after
        )  # fmt: skip
        if claim is None:
            return None
        self._serve(claim)
        return now

    def _serve(self, claim: Claim) -> None:
        """Whatever happens, the claim is given back, so that nobody has to wait for the end of its lease."""
        if self._pass.has_met(claim):
            self._end_pass(claim)
            return
        turn = _Turn(self._outbox, self._clock, self._index, claim)
        try:
            turn.send(self._maker.make(claim.deliveries))
        except StoreUnavailable:
            with suppress(StoreUnavailable):
                self._outbox.release(claim, retry_at=None)
            raise
        except DeliveryFailed as error:
            self._try_later(claim, turn, str(error))
        except Exception as error:  # noqa: BLE001 - an answer that nobody expected: the documents are kept, and somebody is told
            self._try_later(claim, turn, f"{type(error).__name__}: {error}", fault=error)
        else:
            self._go_on(claim, turn)

    def _go_on(self, claim: Claim, turn: _Turn) -> None:
        """With those behind what was not taken; the end is where fewer are found than could be."""
        self._pass.add(turn)
        if len(claim.deliveries) < _CLAIMED_AT_ONCE:
            self._end_pass(claim)
        else:
            self._outbox.release(claim, retry_at=None)

    def _end_pass(self, claim: Claim) -> None:
        ended, self._pass = self._pass, _Pass()
        self._fruitless = 0 if ended.settled or not ended.left else self._fruitless + 1
        if ended.left:
            wait = min(PARTLY_RETRY * 2 ** min(self._fruitless, 10), LAST_RETRY)
            self._rest(claim, wait, ended.left, ended.reason)
        else:
            self._outbox.release(claim, retry_at=None)

    def _try_later(self, claim: Claim, turn: _Turn, reason: str, *, fault: Exception | None = None) -> None:
        """A request has failed as a whole. What was answered before it is passed over, so that the next try begins with that request."""
        self._pass.add(turn)
        wait = min(FIRST_RETRY * 2 ** min(0 if turn.was_answered else claim.attempts, 10), LAST_RETRY)
        self._rest(claim, wait, len(claim.deliveries) - turn.settled, reason, fault)

    def _rest(self, claim: Claim, wait: timedelta, left: int, reason: str, fault: Exception | None = None) -> None:
        _log.error(
            "what %d runs and changes owe %s was not taken, next try in %d s: %s", left, self._index.name, wait.total_seconds(), reason,
            extra={"action": "documents_failed"}, exc_info=fault,
        )  # fmt: skip
        self._outbox.release(claim, retry_at=self._clock.now() + wait, error=reason)


class _Pass:
    """Once through all that is owed, the oldest first, in as many turns as it takes.

    What is not taken holds up nothing that came after it, however many wait so: each turn begins behind them.
    """

    def __init__(self) -> None:
        self.after: Delivery | None = None  # the last that was not taken; what was taken is no longer there
        self.settled = 0
        self.left = 0
        self.reason = ""  # why the first was not taken
        # One of each turn: whoever meets it again has come round without having noticed the end.
        self._met: set[str] = set()

    def add(self, turn: _Turn) -> None:
        self.settled += turn.settled
        if turn.left:
            self.after = turn.left[-1]
            self.left += len(turn.left)
            self.reason = self.reason or turn.reason
            self._met.add(turn.left[0].id)

    def has_met(self, claim: Claim) -> bool:
        return any(delivery.id in self._met for delivery in claim.deliveries)


class _Turn:
    """One claim being served, in requests of a bearable size."""

    def __init__(self, outbox: Outbox, clock: Clock, index: DocumentIndex, claim: Claim) -> None:
        self.settled = 0  # deliveries that were taken, or never will be
        self.left: list[Delivery] = []  # those that were not taken for now
        self.reason = ""  # why the first was not
        self._outbox = outbox
        self._clock = clock
        self._index = index
        self._claim = claim

    @property
    def was_answered(self) -> bool:
        return bool(self.settled or self.left)

    def send(self, made: Iterable[Made]) -> None:
        """Returns early when the claim was lost, and somebody else goes on."""
        for some in _parcels(made, max(_SENT_AT_ONCE >> self._claim.attempts, 1)):
            answer = self._index.send([document for each in some for document in each.documents])
            if not self._record(some, answer):
                return

    def _record(self, some: list[Made], answer: Taken) -> bool:
        """False when the claim was lost meanwhile."""
        good = []
        is_held = True
        for each in some:
            failed = [answer.failed[document.id] for document in each.documents if document.id in answer.failed]
            if failed:
                self.left.append(each.delivery)
                self.reason = self.reason or failed[0]
                continue
            faults = [answer.refused[document.id] for document in each.documents if document.id in answer.refused]
            if each.fault or faults:
                is_held = self._refused(each.delivery, each.fault or faults[0]) and is_held
            else:
                good.append(each.delivery)
            self.settled += 1
        if good:
            _log.info("%s has taken what %d runs and changes owed it", self._index.name, len(good), extra={"action": "documents_sent"})
        # Also of none: it has answered, so this prolongs the lease, and it was not the size of the request that took too long.
        return self._outbox.discard(self._claim, good, now=self._clock.now(), lease=LEASE) and is_held

    def _refused(self, delivery: Delivery, fault: str) -> bool:
        _log.error(
            "%s refused for good what %s owes it: %s", self._index.name, delivery.alert.about, fault, extra={"action": "document_refused"}
        )
        return self._outbox.finish(
            self._claim, [delivery], state=DeliveryState.REFUSED, now=self._clock.now(), lease=LEASE, error=fault
        )  # fmt: skip


def _parcels(made: Iterable[Made], at_once: int) -> Iterator[list[Made]]:
    """What is sent in one request each. After a failure they are smaller: it may be their size that takes too long."""
    parcel: list[Made] = []
    size = 0
    for each in made:
        if parcel and (len(parcel) == at_once or size + each.size > _CHARACTERS_AT_ONCE):
            yield parcel
            parcel, size = [], 0
        parcel.append(each)
        size += each.size
    if parcel:
        yield parcel
