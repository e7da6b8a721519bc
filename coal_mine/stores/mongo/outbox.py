"""Alerts on their way, in two collections.

`deliveries` has one document per alert and receiver, `_id` = Delivery.id. `receivers` has one document per receiver, `_id` = str(Receiver):

    waiting_since  the oldest change that waits for delivery; absent when nothing does
    seq            raised by everyone who adds deliveries
    token          the claim in force, until `lease_until`
    retry_at       nobody tries before this time
    attempts       failed tries since the last success; `error` says what went wrong last
    batch          {name, deliveries: [ids], outcome}: what was bound last; `name` is a digest's, null for single messages; and how a
                   digest ended, once that is known

Everything is single conditional writes, so whoever dies between two of them leaves a state from which anybody goes on:

expand: owed alerts become deliveries.
  1. They are marked as leaving, in their canaries: from here on a trigger that arrived in time cannot withdraw them any more, and owes a
     RESUMED instead. Those that it withdrew before are not seen by the next step.
  2. The missing deliveries are inserted. Dying here: the alerts are still owed, the next expansion finds the same ids and adds nothing.
  3. The receivers get `waiting_since` and a raised `seq`. Dying here: as above; the deliveries wait for it.
  4. The alerts are pulled from their canaries, by id, so that one which came in between stays. Nobody waits until a majority has that:
     losing it is as dying before it.
  Two at once do the same work twice; a late step 3 may announce what is delivered already, which a claim then finds out.

add: steps 2 and 3 of these, for alerts that no canary owes.

claim: one receiver is served by one process at a time.
  1. find_one_and_update stamps token and lease on the receiver that has waited longest. Dying here, or later: the lease ends. A stamp
     that a fail-over undoes is found out by the next step, which waits for a majority, on condition of the token.
  2. A batch whose outcome is known is carried out (see finish). A batch with deliveries still waiting is returned as it is.
  3. Otherwise what waits is bound, as a digest or singly: the ids are written into the receiver, on condition of the token. One write, so
     that the batch is either not there or complete, and nobody has seen another one under its name. A holder whose lease has ended cannot
     write it. What was claimed singly stays single: it may have left, and inside a digest nobody could tell the repetition.
  4. Nothing waiting (an announcement came late): settled as in release 2; the next receiver is tried.

finish:
  1. On condition of the token the lease is prolonged; for a whole batch, its outcome is written in the same step. Dying after it: the
     next claim carries the outcome out, so a digest is never sent again for a part of what it told.
  2. The deliveries that still wait get their new state. Dying between the two with single deliveries repeats a message, not loses one.
  3. The batch is taken away.
  Without the claim, what was taken is recorded all the same and nothing else is touched: whoever has the claim now may be sending it
  again, and with a mail server that needs longer than a lease, nobody would ever come to an end otherwise.

release: the claim is given back on condition of the token.
  1. After a failure: with `retry_at`; what waits goes on waiting.
  2. Otherwise `waiting_since` becomes the oldest delivery that waits. If there is none it is removed, on condition that `seq` is as it was
     before looking: whoever added a delivery in between has raised it, or will yet announce it.

claim_oldest: claim, step 1, for one receiver. Nothing is bound, since a repetition may be in other company.

discard: finish, step 1, and then the deliveries are deleted. Dying between the two repeats them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from coal_mine.domain.alert import Alert, Claim, Delivery, DeliveryState, Receiver
from coal_mine.domain.ports import MAX_DIGEST
from coal_mine.stores.precedence import Precedence

from .documents import Document, alert_document, alert_of, insert_missing
from .errors import BULK_SECONDS, translated

_CANARIES_AT_ONCE = 2_000
_BY_ORDER = [("order", 1), ("_id", 1)]
_NEWEST_FIRST = [("order", -1), ("_id", -1)]
_WAITING = str(DeliveryState.WAITING)


class MongoOutbox:
    """domain.ports.Outbox."""

    def __init__(self, database: Database[Document]) -> None:
        self._canaries = database["canaries"]
        # For changes that may be lost, since they are done again or found out.
        self._hasty_canaries = database.get_collection("canaries", write_concern=WriteConcern(1))
        self._hasty_receivers = database.get_collection("receivers", write_concern=WriteConcern(1))
        # What is sent cannot be taken back, so nothing is sent that a fail-over could still undo.
        self._deliveries = database.get_collection("deliveries", read_concern=ReadConcern("majority"))
        self._receivers = database["receivers"]
        self.precedence = Precedence()

    def expand(self) -> int:
        count = 0
        with translated(BULK_SECONDS):
            while keys := self._owing():
                count += self.expand_owed(keys)
                if len(keys) < _CANARIES_AT_ONCE:
                    break
        return count

    def _owing(self) -> list[Any]:
        """Canaries that owe something, as many as are expanded at once. What is being marked comes first, and is then seen as a whole."""
        with self.precedence.expanding():
            return [found["_id"] for found in self._canaries.find({"owed.id": {"$exists": True}}, {"_id": 1}).limit(_CANARIES_AT_ONCE)]

    def expand_owed(self, keys: list[Any]) -> int:
        """Expand what the canaries with these `_id`s owe. The caller translates the driver's errors."""
        these = {"_id": {"$in": keys}, "owed.id": {"$exists": True}}
        self._canaries.update_many(these, {"$set": {"owed.$[].leaving": True}})
        alerts = [owed for document in self._canaries.find(these, {"owed": 1}) for owed in document["owed"] if owed.get("leaving")]
        self._insert((alert_of(owed), owed["order"]) for owed in alerts)
        # One command for all: the ids of alerts name their canaries, so none can be pulled from another one.
        alert_ids = [owed["id"] for owed in alerts]
        self._hasty_canaries.update_many(these, {"$pull": {"owed": {"id": {"$in": alert_ids}}}})
        return len(alert_ids)

    def _insert(self, alerts: Iterable[tuple[Alert, datetime]]) -> None:
        """Expand, steps 2 and 3, for alerts with their places in the order."""
        deliveries: dict[str, Document] = {}
        since: dict[Receiver, datetime] = {}
        for alert, order in alerts:
            for receiver in alert.receivers:
                since[receiver] = min(order, since.get(receiver, order))
                delivery = Delivery(alert=alert, receiver=receiver)
                deliveries[delivery.id] = _delivery_document(delivery, order)
        if deliveries:
            insert_missing(self._deliveries, list(deliveries.values()))
            self._receivers.bulk_write([_announcement(receiver, at) for receiver, at in since.items()], ordered=False)

    def add(self, alerts: Sequence[Alert]) -> None:
        with translated():
            self._insert((alert, alert.at) for alert in alerts)

    def claim(self, *, now: datetime, lease: timedelta, token: str, digest_above: int, channels: Sequence[str]) -> Claim | None:
        with translated():
            while receiver := self._take(_claimable(now, channels), now + lease, token):
                claim = self._claim_of(receiver, token, digest_above)
                if claim is not None and claim.deliveries:
                    return claim
                if claim is not None:
                    self._settle(claim)
            return None

    def claim_oldest(
        self, receiver: Receiver, *, now: datetime, lease: timedelta, token: str, limit: int, after: Delivery | None = None
    ) -> Claim | None:
        claimable = {"_id": str(receiver), **_claimable(now, [receiver.channel])}
        with translated():
            found = self._take(claimable, now + lease, token)
            if found is None:
                return None
            waiting = {"receiver": str(receiver), "state": _WAITING}
            behind = self._in_order({**waiting, **self._behind(after)}, limit=limit) if after else []
            deliveries = behind or self._in_order(waiting, limit=limit)
            claim = Claim(receiver=receiver, token=token, attempts=found["attempts"], batch=None, deliveries=tuple(deliveries))
            if not deliveries:
                self._settle(claim)
            return claim if deliveries else None

    def _behind(self, delivery: Delivery) -> Document:
        """Whatever is, if it is gone."""
        found = self._deliveries.find_one({"_id": delivery.id}, {"order": 1})
        if found is None:
            return {}
        return {"order": {"$gte": found["order"]}, "$or": [{"order": {"$gt": found["order"]}}, {"_id": {"$gt": found["_id"]}}]}

    def _take(self, claimable: Document, lease_until: datetime, token: str) -> Document | None:
        return self._hasty_receivers.find_one_and_update(
            claimable,
            {"$set": {"token": token, "lease_until": lease_until}},
            sort=[("waiting_since", 1)],
            return_document=ReturnDocument.AFTER,
        )

    def _claim_of(self, document: Document, token: str, digest_above: int) -> Claim | None:
        """None: the lease has ended meanwhile."""
        receiver = Receiver(document["channel"], document["address"])
        if document.get("batch") and not self._look({"_id": document["_id"], "token": token}):
            return None
        batch, deliveries = self._bound(document, token)
        if not deliveries:
            waiting = {"receiver": document["_id"], "state": _WAITING}
            batch, deliveries = None, self._in_order(waiting, limit=digest_above + 1)
            if len(deliveries) > digest_above:
                batch, deliveries = token, self._in_order(waiting, limit=MAX_DIGEST)
            if deliveries and not self._bind(document["_id"], token, batch, deliveries):
                return None
        return Claim(receiver=receiver, token=token, attempts=document["attempts"], batch=batch, deliveries=tuple(deliveries))

    def _bound(self, document: Document, token: str) -> tuple[str | None, list[Delivery]]:
        """What was bound before, as far as it still waits."""
        batch = document.get("batch")
        if not batch:
            return None, []
        if "outcome" in batch:
            self._carry_out(batch["deliveries"], batch["outcome"])
        else:
            deliveries = self._in_order({"_id": {"$in": batch["deliveries"]}, "state": _WAITING})
            if deliveries:
                return batch["name"], deliveries
        self._receivers.update_one({"_id": document["_id"], "token": token}, {"$unset": {"batch": ""}})
        return None, []

    def _in_order(self, condition: Document, limit: int = 0) -> list[Delivery]:
        return [_delivery_of(document) for document in self._deliveries.find(condition).sort(_BY_ORDER).limit(limit)]

    def _bind(self, receiver_id: str, token: str, name: str | None, deliveries: Iterable[Delivery]) -> bool:
        batch = {"name": name, "deliveries": [delivery.id for delivery in deliveries]}
        return self._receivers.update_one({"_id": receiver_id, "token": token}, {"$set": {"batch": batch}}).matched_count == 1

    def finish(
        self, claim: Claim, deliveries: Sequence[Delivery], *, state: DeliveryState, now: datetime, lease: timedelta, error: str = ""
    ) -> bool:
        held = _held(claim)
        outcome = {"state": str(state), "finished_at": now, "error": error}
        values: Document = {"lease_until": now + lease, "attempts": 0, "error": ""}
        whole_batch = claim.batch is not None and len(deliveries) == len(claim.deliveries)
        if whole_batch:
            values["batch.outcome"] = outcome
        with translated(BULK_SECONDS):
            is_held = self._receivers.update_one(held, {"$set": values, "$unset": {"retry_at": ""}}).matched_count == 1
            if not is_held and state is not DeliveryState.DELIVERED:
                return False
            if not is_held and whole_batch:
                same_batch = {"_id": str(claim.receiver), "batch.name": claim.batch}
                self._receivers.update_one(same_batch, {"$set": {"batch.outcome": outcome}})
            self._carry_out([delivery.id for delivery in deliveries], outcome)
            if is_held and whole_batch:
                self._receivers.update_one(held, {"$unset": {"batch": ""}})
        return is_held

    def _carry_out(self, delivery_ids: list[str], outcome: Document) -> None:
        self._deliveries.update_many({"_id": {"$in": delivery_ids}, "state": _WAITING}, {"$set": outcome})

    def discard(self, claim: Claim, deliveries: Sequence[Delivery], *, now: datetime, lease: timedelta) -> bool:
        prolonged = {"$set": {"lease_until": now + lease, "attempts": 0, "error": ""}, "$unset": {"retry_at": ""}}
        with translated(BULK_SECONDS):
            is_held = self._receivers.update_one(_held(claim), prolonged).matched_count == 1
            self._deliveries.delete_many({"_id": {"$in": [delivery.id for delivery in deliveries]}, "state": _WAITING})
        return is_held

    def release(self, claim: Claim, *, retry_at: datetime | None, error: str = "") -> None:
        with translated():
            if retry_at is None:
                self._settle(claim)
            else:
                failed = {
                    "$set": {"retry_at": retry_at, "error": error},
                    "$inc": {"attempts": 1},
                    "$unset": {"token": "", "lease_until": ""},
                }
                self._receivers.update_one(_held(claim), failed)

    def _settle(self, claim: Claim) -> None:
        """Release, step 2."""
        released = {"token": "", "lease_until": "", "retry_at": ""}
        while document := self._look(_held(claim)):
            oldest = self._deliveries.find_one({"receiver": str(claim.receiver), "state": _WAITING}, {"order": 1}, sort=_BY_ORDER)
            if oldest:
                self._receivers.update_one(_held(claim), {"$set": {"waiting_since": oldest["order"]}, "$unset": released})
                return
            idle = {"$unset": {**released, "waiting_since": "", "batch": ""}}
            if self._receivers.update_one({**_held(claim), "seq": document["seq"]}, idle).matched_count:
                return

    def _look(self, held: Document) -> Document | None:
        """A write where a read would do: once a majority has it, the next read knows all that was acknowledged before, whoever leads."""
        return self._receivers.find_one_and_update(held, {"$inc": {"looks": 1}}, {"seq": 1})

    def next_attempt(self, now: datetime, channels: Sequence[str]) -> datetime | None:
        with translated():
            if self._receivers.find_one(_claimable(now, channels), {"_id": 1}):
                return now
            free_at = {"$max": ["$lease_until", "$retry_at"]}
            pipeline: list[dict[str, Any]] = [
                {"$match": _waiting_on(channels)},
                {"$group": {"_id": None, "at": {"$min": free_at}}},
            ]
            for found in self._receivers.aggregate(pipeline):
                return max(found["at"] or now, now)
        return None

    def deliveries(self, *, limit: int) -> list[Delivery]:
        with translated():
            documents = list(self._deliveries.find().sort(_NEWEST_FIRST).limit(limit))
            waiting = {document["receiver"] for document in documents if document["state"] == _WAITING}
            receivers = self._receivers.find({"_id": {"$in": list(waiting)}}, {"error": 1})
            errors = {receiver["_id"]: receiver.get("error", "") for receiver in receivers}
        # What failed last concerns all that waits for a receiver, and is stored once.
        return [_delivery_of({"error": errors.get(document["receiver"], ""), **document}) for document in documents]

    def forget(self, before: datetime) -> int:
        with translated(BULK_SECONDS):
            return self._deliveries.delete_many({"finished_at": {"$lt": before}}).deleted_count

    def give_up(self, receiver: Receiver, before: datetime, *, limit: int) -> int:
        condition: Document = {"receiver": str(receiver), "state": _WAITING, "order": {"$lt": before}}
        with translated(BULK_SECONDS):
            found = [document["_id"] for document in self._deliveries.find(condition, {"_id": 1}).limit(limit)]
            return self._deliveries.delete_many({"_id": {"$in": found}, **condition}).deleted_count if found else 0


def _waiting_on(channels: Sequence[str]) -> Document:
    return {"waiting_since": {"$exists": True}, "channel": {"$in": list(channels)}}


def _claimable(now: datetime, channels: Sequence[str]) -> Document:
    def passed(field: str) -> Document:
        return {"$or": [{field: {"$exists": False}}, {field: {"$lte": now}}]}

    return {**_waiting_on(channels), "$and": [passed("lease_until"), passed("retry_at")]}


def _held(claim: Claim) -> Document:
    return {"_id": str(claim.receiver), "token": claim.token}


def _announcement(receiver: Receiver, since: datetime) -> UpdateOne:
    first = {"channel": receiver.channel, "address": receiver.address, "attempts": 0}
    update = {"$min": {"waiting_since": since}, "$inc": {"seq": 1}, "$setOnInsert": first}
    return UpdateOne({"_id": str(receiver)}, update, upsert=True)


def _delivery_document(delivery: Delivery, order: datetime) -> Document:
    return {
        "_id": delivery.id,
        "alert": alert_document(delivery.alert),
        "receiver": str(delivery.receiver),
        "channel": delivery.receiver.channel,
        "address": delivery.receiver.address,
        "order": order,
        "state": _WAITING,
    }


def _delivery_of(document: Document) -> Delivery:
    return Delivery(
        alert=alert_of(document["alert"]),
        receiver=Receiver(document["channel"], document["address"]),
        state=DeliveryState(document["state"]),
        finished_at=document.get("finished_at"),
        error=document.get("error", ""),
    )
