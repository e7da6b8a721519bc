"""Delivers what is owed: owed alerts become deliveries, deliveries become messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from coal_mine.domain.alert import ELASTICSEARCH, REPORTS, Alert, Claim, Delivery, DeliveryState
from coal_mine.domain.canary import Entry
from coal_mine.domain.errors import DeliveryFailed, DeliveryRefused, StoreUnavailable
from coal_mine.domain.message import EVENTS_SHOWN, Message, alert_message, digest_message
from coal_mine.domain.ports import Channel, Clock, Ids, Outbox, Store
from coal_mine.domain.times import isoformat
from coal_mine.services.reports import report_message

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)
# Finished deliveries are kept for people who look for what was sent.
KEPT = timedelta(days=30)
_FORGET_EVERY = timedelta(hours=1)
_GIVEN_UP_AT_ONCE = 1_000
# What was sent is recorded so soon at the latest: a slow mail server's mails one by one, a fast one's by the dozen.
_RECORDED_WITHIN = timedelta(milliseconds=100)
# Then the others have their turn, and a server that is to stop can.
_TURN = timedelta(seconds=5)
_HISTORIES_AT_ONCE = 50


class Expander:
    """Turns owed alerts into deliveries and clears old ones away."""

    def __init__(self, store: Store, delivery_waits: Callable[[], None], *, documents_kept: timedelta = KEPT) -> None:
        """Documents that nobody takes are owed as long as what they are about is `documents_kept`."""
        self._outbox = store.outbox
        self._delivery_waits = delivery_waits
        self._documents_kept = documents_kept
        self._forget_at: datetime | None = None

    def run_once(self, now: datetime) -> datetime | None:
        if self._outbox.expand():
            self._delivery_waits()
            return now
        if self._forget_at is None or now >= self._forget_at:
            if self._give_up(now - self._documents_kept):
                return now
            self._outbox.forget(now - KEPT)
            self._forget_at = now + _FORGET_EVERY
        return None

    def _give_up(self, before: datetime) -> bool:
        """Documents, also where this server does not know of Elasticsearch: its section may have been removed. True: there may be more."""
        count = self._outbox.give_up(ELASTICSEARCH, before, limit=_GIVEN_UP_AT_ONCE)
        if count:
            told = f"{ELASTICSEARCH.address} has not taken what {count} runs and changes before {isoformat(before)} owed it; given up"
            _log.error("%s", told, extra={"action": "documents_given_up"})
        return count == _GIVEN_UP_AT_ONCE


class Sender:
    """Serves one receiver at a time. Several senders, in any number of processes, share the work by claiming."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, channels: Mapping[str, Channel], *, digest_above: int) -> None:
        self._store = store
        self._outbox = store.outbox
        self._canaries = store.canaries
        self._clock = clock
        self._ids = ids
        self._channels = channels
        self._digest_above = digest_above

    def run_once(self, now: datetime) -> datetime | None:
        """Deliver to one receiver; `now` when there may be more."""
        next_attempt = self._outbox.next_attempt(now, tuple(self._channels))
        if next_attempt is None or next_attempt > now:
            return next_attempt
        claim = self._outbox.claim(
            now=now, lease=LEASE, token=self._ids.nonce(), digest_above=self._digest_above, channels=tuple(self._channels)
        )
        if claim is None:
            return None  # somebody else was faster
        self._serve(claim)
        return now

    def _serve(self, claim: Claim) -> None:
        """Whatever happens, the claim is given back, so that nobody has to wait for the end of its lease."""
        turn = _Turn(self._outbox, self._clock, self._channels[claim.receiver.channel], claim)
        try:
            turn.deliver(self._messages(claim))
        except DeliveryFailed as error:
            self._try_later(claim, turn, str(error))
        except StoreUnavailable:
            with suppress(StoreUnavailable):
                self._outbox.release(claim, retry_at=None)
            raise
        except Exception as error:  # noqa: BLE001 - a message that cannot be made or sent must not hold up other receivers
            self._try_later(claim, turn, f"{type(error).__name__}: {error}", fault=error)
        else:
            self._outbox.release(claim, retry_at=None)

    def _messages(self, claim: Claim) -> Iterator[tuple[tuple[Delivery, ...], Message]]:
        """What to send, each with the deliveries that it settles."""
        if claim.batch:
            yield claim.deliveries, digest_message(claim.batch, [delivery.alert for delivery in claim.deliveries])
            return
        if claim.receiver.channel == REPORTS:
            yield from (((each,), report_message(each.id, each.alert, self._store)) for each in claim.deliveries)
            return
        for place in range(0, len(claim.deliveries), _HISTORIES_AT_ONCE):
            some = claim.deliveries[place : place + _HISTORIES_AT_ONCE]
            newest = self._canaries.histories([each.alert.about for each in some], limit=EVENTS_SHOWN) if len(some) > 1 else {}
            for delivery in some:
                yield (delivery,), alert_message(delivery.id, delivery.alert, self._events(delivery.alert, newest))

    def _events(self, alert: Alert, newest: Mapping[str, list[Entry]]) -> list[Entry]:
        """The newest up to the alert: what came later must not make a repetition another message."""
        events = newest.get(alert.about)
        if events and events[0].at <= alert.at:
            return events
        return self._canaries.history(alert.about, limit=EVENTS_SHOWN, until=alert.at)

    def _try_later(self, claim: Claim, turn: _Turn, reason: str, *, fault: Exception | None = None) -> None:
        attempts = 0 if turn.has_sent else claim.attempts
        wait = min(FIRST_RETRY * 2 ** min(attempts, 10), LAST_RETRY)
        _log.error(
            "%d alerts for %s not delivered, next try in %d s: %s",
            len(claim.deliveries), claim.receiver.address, wait.total_seconds(), reason,
            extra={"action": "delivery_failed"}, exc_info=fault,
        )  # fmt: skip
        self._outbox.release(claim, retry_at=self._clock.now() + wait, error=reason)


class _Turn:
    """One claim being served. What the other side has taken is recorded in groups, since a commit takes longer than a mail; whoever takes
    over from a sender that died repeats at most one group and the message after it.
    """

    def __init__(self, outbox: Outbox, clock: Clock, channel: Channel, claim: Claim) -> None:
        self.has_sent = False
        self._outbox = outbox
        self._clock = clock
        self._channel = channel
        self._claim = claim
        self._taken: list[Delivery] = []
        self._subjects: list[str] = []
        self._taken_since: datetime | None = None

    def deliver(self, messages: Iterable[tuple[tuple[Delivery, ...], Message]]) -> None:
        """Returns early when the claim was lost, and somebody else goes on, or when others should have their turn."""
        end = self._clock.now() + _TURN
        try:
            for deliveries, message in messages:
                if not self._send(deliveries, message) or self._clock.now() > end:
                    return
        finally:
            self._record()

    def _send(self, deliveries: tuple[Delivery, ...], message: Message) -> bool:
        """False when the claim was lost meanwhile."""
        address = self._claim.receiver.address
        begin = self._clock.now()
        try:
            self._channel.send(address, message)
        except DeliveryRefused as refusal:
            self.has_sent = True
            is_held = self._record()
            _log.error("%s refused for good: %s; not told: %s", address, refusal, message.subject, extra={"action": "delivery_refused"})
            return is_held and self._finish(deliveries, DeliveryState.REFUSED, str(refusal))
        self.has_sent = True
        self._taken += deliveries
        self._subjects.append(message.subject)
        self._taken_since = self._taken_since or begin
        passed = self._clock.now() - self._taken_since
        return timedelta() <= passed < _RECORDED_WITHIN or self._record()

    def _record(self) -> bool:
        """False when the claim was lost meanwhile."""
        if not self._taken:
            return True
        # Logged together, too: the lines of several senders would wait for each other longer than a mail takes.
        told, address = "; ".join(self._subjects), self._claim.receiver.address
        _log.info("delivered by %s to %s: %s", self._channel.name, address, told, extra={"action": "delivered"})
        taken, self._taken, self._subjects, self._taken_since = self._taken, [], [], None
        return self._finish(taken, DeliveryState.DELIVERED)

    def _finish(self, deliveries: Sequence[Delivery], state: DeliveryState, error: str = "") -> bool:
        return self._outbox.finish(self._claim, deliveries, state=state, now=self._clock.now(), lease=LEASE, error=error)
