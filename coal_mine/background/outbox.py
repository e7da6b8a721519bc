"""Delivers what is owed: owed alerts become deliveries, deliveries become messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from coal_mine.domain.alert import Claim, Delivery, DeliveryState
from coal_mine.domain.errors import DeliveryFailed, DeliveryRefused
from coal_mine.domain.message import EVENTS_SHOWN, Message, alert_message, digest_message
from coal_mine.domain.ports import Channel, Clock, Ids, Store

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
FIRST_RETRY = timedelta(seconds=1)
LAST_RETRY = timedelta(minutes=5)
# Finished deliveries are kept for people who look for what was sent.
KEPT = timedelta(days=30)
_FORGET_EVERY = timedelta(hours=1)


class Expander:
    """Turns owed alerts into deliveries and clears old ones away."""

    def __init__(self, store: Store, delivery_waits: Callable[[], None]) -> None:
        self._outbox = store.outbox
        self._delivery_waits = delivery_waits
        self._forget_at: datetime | None = None

    def run_once(self, now: datetime) -> datetime | None:
        if self._outbox.expand():
            self._delivery_waits()
            return now
        if self._forget_at is None or now >= self._forget_at:
            self._outbox.forget(now - KEPT)
            self._forget_at = now + _FORGET_EVERY
        return None


class Sender:
    """Serves one receiver at a time. Several senders, in any number of processes, share the work by claiming."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, channels: Mapping[str, Channel], *, digest_above: int) -> None:
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
        sent = 0
        try:
            for deliveries, message in self._messages(claim):
                if not self._send(claim, deliveries, message):
                    break
                sent += 1
        except DeliveryFailed as error:
            self._try_later(claim, 0 if sent else claim.attempts, error)
        else:
            self._outbox.release(claim, retry_at=None)
        return now

    def _messages(self, claim: Claim) -> Iterator[tuple[tuple[Delivery, ...], Message]]:
        """What to send, each with the deliveries that it settles."""
        if claim.batch:
            yield claim.deliveries, digest_message(claim.batch, [delivery.alert for delivery in claim.deliveries])
            return
        for delivery in claim.deliveries:
            yield (delivery,), self._message(delivery)

    def _try_later(self, claim: Claim, attempts: int, error: DeliveryFailed) -> None:
        wait = min(FIRST_RETRY * 2 ** min(attempts, 10), LAST_RETRY)
        _log.error(
            "%d alerts for %s not delivered, next try in %d s: %s",
            len(claim.deliveries), claim.receiver.address, wait.total_seconds(), error,
            extra={"action": "delivery_failed"},
        )  # fmt: skip
        self._outbox.release(claim, retry_at=self._clock.now() + wait, error=str(error))

    def _message(self, delivery: Delivery) -> Message:
        alert = delivery.alert
        return alert_message(delivery.id, alert, self._canaries.history(alert.about, limit=EVENTS_SHOWN, until=alert.at))

    def _send(self, claim: Claim, deliveries: tuple[Delivery, ...], message: Message) -> bool:
        """False when the claim was lost meanwhile: somebody else goes on."""
        state, error = DeliveryState.DELIVERED, ""
        channel = self._channels[claim.receiver.channel]
        try:
            channel.send(claim.receiver.address, message)
        except DeliveryRefused as refusal:
            state, error = DeliveryState.REFUSED, str(refusal)
            _log.error(
                "%s refused for good: %s; not told: %s",
                claim.receiver.address,
                refusal,
                message.subject,
                extra={"action": "delivery_refused"},
            )
        else:
            _log.info("delivered by %s to %s: %s", channel.name, claim.receiver.address, message.subject, extra={"action": "delivered"})
        return self._outbox.finish(claim, deliveries, state=state, now=self._clock.now(), lease=LEASE, error=error)
