"""Judges a scenario by what was seen from outside. A verdict without faults means that nothing was lost and nothing was told needlessly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from tests.faults.facts import Event, Sent, Told, Watched

# The API shows no more entries than these, so a longer history could not be judged.
SHOWN = 1_000
# So far the clients' time and the store's may be apart on one machine.
CLOCKS = timedelta(milliseconds=20)


@dataclass(slots=True)
class Verdict:
    counts: Counter[str]
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self.counts.items())


class Span(NamedTuple):
    begin: datetime
    end: datetime | None  # None: not ended


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of one scenario; mails in the order of their arrival."""

    canaries: Sequence[Watched]
    sent: Sequence[Sent]
    told: Sequence[Told]
    refused: frozenset[str] = frozenset()  # receivers that the mail server refuses

    def receivers(self, canary: Watched) -> list[str]:
        return [receiver for receiver in canary.receivers if receiver not in self.refused]

    def changes(self) -> dict[tuple[str, str], list[Told]]:
        """What each receiver was told of each canary, without repetitions."""
        found: dict[tuple[str, str], list[Told]] = defaultdict(list)
        for told in _without_repetitions(self.told):
            found[told.receiver, told.canary].append(told)
        return found


def judge(case: Case) -> Verdict:
    faults = [
        *_histories(case),
        *_lost_triggers(case),
        *_untold(case),
        *_needless(case),
        *_message_ids(case),
        *_order(case),
    ]
    return Verdict(_counts(case), faults)


def untold(case: Case) -> list[str]:
    """Which mails are still missing: what a scenario waits for before it is judged."""
    return list(_untold(case))


def latenesses(canary: Watched) -> Iterator[tuple[datetime, datetime | None]]:
    """Each deadline that passed, with the event that ended the lateness, if one did."""
    for event, following in pairwise([*canary.history, None]):
        assert event is not None
        deadline = event.at + canary.period
        if following is None and canary.late:
            yield deadline, None
        elif following is not None and following.at >= deadline:
            yield deadline, following.at


def _histories(case: Case) -> Iterator[str]:
    for canary in case.canaries:
        if not 0 < len(canary.history) < SHOWN:
            yield f"{canary.id}: {len(canary.history)} entries cannot be judged"
        counts = Counter(event.text for event in canary.history)
        yield from (f"{canary.id}: {count} times in the history: {text}" for text, count in counts.items() if count > 1)


def _lost_triggers(case: Case) -> Iterator[str]:
    recorded = {(canary.id, event.text) for canary in case.canaries for event in canary.history}
    for sent in case.sent:
        if sent.acknowledged and (sent.canary, _text(sent)) not in recorded:
            yield f"{sent.canary}: acknowledged at {sent.answered_at:%T.%f} and lost: {sent.comment}"


def _untold(case: Case) -> Iterator[str]:
    spans = {key: list(spans_of(changes)) for key, changes in case.changes().items()}
    for canary in case.canaries:
        for receiver in case.receivers(canary):
            for deadline, ended_at in latenesses(canary):
                missing = _missing(spans.get((receiver, canary.id), []), deadline, ended_at)
                if missing:
                    yield f"{canary.id}: no {missing} for {receiver}"


def spans_of(changes: Iterable[Told]) -> Iterator[Span]:
    """The times in which a receiver had to believe that the canary was late."""
    late: Told | None = None
    for told in changes:
        if late:
            yield Span(late.at, told.at if told.kind == "RESUMED" else None)
        late = told if told.kind == "LATE" else None
    if late:
        yield Span(late.at, None)


def _missing(spans: Iterable[Span], deadline: datetime, ended_at: datetime | None) -> str:
    """A receiver must have known of the whole lateness.

    What was told may begin earlier and end later where triggers were still under way; whether that was so, `_needless` looks after.
    """
    # A trigger in the very millisecond of the deadline comes too late, and ends a lateness that lasted no time.
    begun = [span for span in spans if span.begin <= deadline and (span.end is None or span.end > deadline or span.begin == deadline)]
    if not begun:
        return f"LATE of {deadline:%T.%f}"
    ends = [span.end for span in begun if span.end is not None]
    if ended_at and max(ends, default=deadline) < ended_at:
        return f"RESUMED of {ended_at:%T.%f}"
    return ""


def _needless(case: Case) -> Iterator[str]:
    acknowledged = {(sent.canary, _text(sent)): sent.answered_at for sent in case.sent if sent.acknowledged}
    canaries = {canary.id: canary for canary in case.canaries}
    for (receiver, name), changes in case.changes().items():
        canary = canaries.get(name)
        if canary is None:
            continue
        if receiver not in case.receivers(canary):
            yield f"{name}: {changes[0].kind} for a stranger: {receiver}"
        answered = [(event, acknowledged.get((name, event.text))) for event in canary.history]
        for before, told in pairwise([None, *changes]):
            assert told is not None
            reason = _without_cause(told, before, canary, answered)
            if reason:
                yield f"{name}: {told.kind} of {told.at:%T.%f} for {receiver} without a cause: {reason}"


def _without_cause(told: Told, before: Told | None, canary: Watched, answered: Iterable[tuple[Event, datetime | None]]) -> str:
    """Why nobody should have been told; empty when it was right.

    A trigger that had arrived, but was not answered when its canary went late or was resumed by another one, may not have counted yet.
    """
    at = [event.at for event in canary.history]
    if told.kind == "LATE":
        begin = told.at - canary.period
        if begin not in at:
            return "not the deadline of any event"
    else:
        begin = before.at if before else told.at
        if told.at not in at:
            return "no event at that time"
    for event, answered_at in answered:
        if begin < event.at < told.at and answered_at and answered_at + CLOCKS < told.at:
            return f"{event.text} of {event.at:%T.%f} was answered at {answered_at:%T.%f}"
    return ""


def _message_ids(case: Case) -> Iterator[str]:
    names: dict[tuple[str, str, str, datetime], set[str]] = defaultdict(set)
    contents: dict[tuple[str, str], set[tuple[str, str, datetime]]] = defaultdict(set)
    for told in case.told:
        names[told.receiver, told.canary, told.kind, told.at].add(told.message_id)
        contents[told.receiver, told.message_id].add((told.canary, told.kind, told.at))
    for (receiver, canary, kind, at), found in names.items():
        if len(found) > 1:
            yield f"{canary}: {kind} of {at:%T.%f} for {receiver} under {len(found)} Message-IDs"
    copies = Counter(case.told)
    for (receiver, message_id), parts in contents.items():
        if len({copies[Told(receiver, message_id, kind, canary, at)] for canary, kind, at in parts}) > 1:
            yield f"{message_id} for {receiver} was repeated with another content"


def _order(case: Case) -> Iterator[str]:
    late = {canary.id: canary.late for canary in case.canaries}
    periods = {canary.id: canary.period for canary in case.canaries}
    for (receiver, canary), changes in case.changes().items():
        if canary not in late:
            continue
        kinds = [told.kind for told in changes]
        if kinds != [("LATE", "RESUMED")[place % 2] for place in range(len(kinds))]:
            yield f"{canary}: {receiver} was told {' '.join(kinds)}"
        elif late[canary] != (kinds[-1] == "LATE"):
            yield f"{canary}: {receiver} was told {kinds[-1]} last, but late is {late[canary]}"
        else:
            yield from (f"{canary}: {receiver} was told of {one} before {other}" for one, other in _against_time(changes, periods[canary]))


def _against_time(changes: Iterable[Told], period: timedelta) -> Iterator[tuple[str, str]]:
    """A lateness begins with the event before it."""
    begun = [(told.at - period if told.kind == "LATE" else told.at, f"{told.kind} of {told.at:%T.%f}") for told in changes]
    yield from ((text, following_text) for (at, text), (following, following_text) in pairwise(begun) if following < at)


def _without_repetitions(told: Iterable[Told]) -> list[Told]:
    first: dict[tuple[str, str, str, datetime], Told] = {}
    for each in told:
        first.setdefault((each.receiver, each.canary, each.kind, each.at), each)
    return list(first.values())


def _counts(case: Case) -> Counter[str]:
    ids = {canary.id for canary in case.canaries}
    told = [each for each in case.told if each.canary in ids]
    kinds = Counter(each.kind for each in _without_repetitions(told))
    return Counter(
        canaries=len(case.canaries),
        triggers=len(case.sent),
        answered=sum(sent.acknowledged for sent in case.sent),
        refused=sum(sent.status not in (200, None) for sent in case.sent),
        broken=sum(sent.status is None for sent in case.sent),
        LATE=kinds["LATE"],
        RESUMED=kinds["RESUMED"],
        repeats=len(told) - len(set(told)),
    )


def _text(sent: Sent) -> str:
    return f"Triggered ({sent.comment})"
