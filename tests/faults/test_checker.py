"""The checker itself: it accepts a history in which all went well, and finds each kind of fault in one that was made wrong by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.checker import Case, judge, untold
from tests.faults.facts import Event, Sent, Told, Watched

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERIOD = timedelta(seconds=10)
JO = "jo@example.test"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sent(comment: str, seconds: float, *, answered: float | None = None, status: int | None = 200) -> Sent:
    return Sent("abcdefgh", comment, at(seconds), at(seconds + 0.01 if answered is None else answered), status)


def late(deadline: float, *, id: str = "", to: str = JO) -> Told:
    return Told(to, id or f"<late-{deadline}>", "LATE", "abcdefgh", at(deadline))


def resumed(seconds: float, *, id: str = "") -> Told:
    return Told(JO, id or f"<resumed-{seconds}>", "RESUMED", "abcdefgh", at(seconds))


def good() -> Case:
    """Created at 0, triggered at 5 and, too late, at 20; never again."""
    history = [Event(at(0), "Canary created"), Event(at(5), "Triggered (n1)"), Event(at(20), "Triggered (n2)")]
    return Case(
        canaries=[Watched("abcdefgh", PERIOD, [JO], history, late=True)],
        sent=[sent("n1", 5), sent("n2", 20)],
        told=[late(15), resumed(20), late(30)],
    )


def with_history(case: Case, *events: Event) -> Case:
    return replace(case, canaries=[replace(case.canaries[0], history=sorted(events, key=lambda event: event.at))])


def faults(case: Case) -> str:
    return "\n".join(judge(case).faults)


def test_a_history_in_which_all_went_well_has_no_faults() -> None:
    verdict = judge(good())

    assert verdict.faults == []
    assert str(verdict) == "canaries 1, triggers 2, answered 2, refused 0, broken 0, LATE 2, RESUMED 1, repeats 0"


def test_a_lateness_that_lasted_no_time_is_told_all_the_same() -> None:
    """The trigger came in the very millisecond of the deadline."""
    history = [Event(at(0), "Canary created"), Event(at(10), "Triggered (n1)")]
    case = replace(with_history(good(), *history), sent=[sent("n1", 10)], told=[late(10), resumed(10), late(20)])

    assert faults(case) == ""
    assert "no LATE" in faults(replace(case, told=[late(20)]))


def test_a_mail_may_be_repeated_under_its_message_id() -> None:
    case = replace(good(), told=[late(15), late(15), resumed(20), late(15), late(30)])

    assert judge(case).faults == []
    assert judge(case).counts["repeats"] == 2


def test_a_trigger_that_was_never_answered_may_be_missing_or_recorded() -> None:
    case = good()
    history = case.canaries[0].history
    missing = replace(case, sent=[*case.sent, sent("n3", 21, status=None)])
    recorded = replace(with_history(missing, *history, Event(at(21), "Triggered (n3)")), told=[late(15), resumed(20), late(31)])

    assert judge(missing).faults == []
    assert judge(recorded).faults == []


def test_a_trigger_that_was_answered_only_after_the_deadline_may_have_come_too_late() -> None:
    case = replace(good(), sent=[sent("n1", 5), sent("n2", 14, answered=17)], told=[late(15), resumed(14), late(24)])
    history = case.canaries[0].history[:2]

    assert judge(with_history(case, *history, Event(at(14), "Triggered (n2)"))).faults == []


def overtaken(*, answered: float) -> Case:
    """The trigger at 20 was under way until `answered`, and the one at 22 through another server was written before it."""
    case = good()
    events = [*case.canaries[0].history, Event(at(22), "Triggered (n3)")]
    triggers = [sent("n1", 5), sent("n2", 20, answered=answered), sent("n3", 22)]
    return with_history(replace(case, sent=triggers, told=[late(15), resumed(22), late(32)]), *events)


def test_a_trigger_that_was_under_way_may_be_overtaken() -> None:
    assert judge(overtaken(answered=23)).faults == []


def test_a_refused_receiver_needs_no_mail() -> None:
    case = good()
    canary = replace(case.canaries[0], receivers=[JO, "gone@example.test"])

    assert judge(replace(case, canaries=[canary], refused=frozenset({"gone@example.test"}))).faults == []


def needless_late() -> Case:
    """The trigger at 14 was answered at once, and still the deadline of 15 is told."""
    case = good()
    events = [*case.canaries[0].history[:2], Event(at(14), "Triggered (n2)")]
    return with_history(replace(case, sent=[sent("n1", 5), sent("n2", 14)], told=[late(15), resumed(14), late(24)]), *events)


def repeated_in_part() -> Case:
    """A digest that tells less the second time."""
    told = [late(15, id="<digest>"), resumed(20, id="<digest>"), late(15, id="<digest>"), late(30)]
    return replace(good(), told=told)


def never_late() -> Case:
    case = good()
    return replace(case, canaries=[replace(case.canaries[0], late=False)])


WRONG: dict[str, tuple[Callable[[], Case], str]] = {
    "lost trigger": (lambda: replace(good(), sent=[*good().sent, sent("n3", 21)]), "acknowledged at 12:00:21.010000 and lost: n3"),
    "no LATE": (lambda: replace(good(), told=[resumed(20), late(30)]), f"no LATE of 12:00:15.000000 for {JO}"),
    "no last LATE": (lambda: replace(good(), told=[late(15), resumed(20)]), f"no LATE of 12:00:30.000000 for {JO}"),
    "no RESUMED": (lambda: replace(good(), told=[late(15), late(30)]), f"no RESUMED of 12:00:20.000000 for {JO}"),
    "LATE twice": (lambda: replace(good(), told=[late(15), late(15, id="<x>"), resumed(20), late(30)]), "under 2 Message-IDs"),
    "RESUMED first": (lambda: replace(good(), told=[resumed(20), late(15), late(30)]), f"{JO} was told RESUMED LATE LATE"),
    "LATE without a cause": (needless_late, "Triggered (n2) of 12:00:14.000000 was answered at 12:00:14.010000"),
    "LATE of a deadline that never was": (lambda: replace(good(), told=[*good().told, late(16)]), "not the deadline of any event"),
    "RESUMED out of the air": (lambda: replace(good(), told=[*good().told, resumed(31)]), "no event at that time"),
    "a stranger": (lambda: replace(good(), told=[*good().told, late(30, to="eve@example.test")]), "for a stranger: eve@example.test"),
    "a digest repeated in part": (repeated_in_part, "<digest> for jo@example.test was repeated with another content"),
    "late untold": (never_late, "was told LATE last, but late is False"),
    "against time": (lambda: replace(good(), told=[late(30), resumed(20), late(15)]), "was told of RESUMED of 12:00:20.000000 before LATE"),
    "RESUMED too late": (lambda: overtaken(answered=21), "Triggered (n2) of 12:00:20.000000 was answered at 12:00:21.000000"),
    "RESUMED too early": (lambda: replace(good(), told=[late(15), resumed(18), late(30)]), "no RESUMED of 12:00:20.000000"),
    "an entry twice": (
        lambda: with_history(good(), *good().canaries[0].history, Event(at(20.001), "Triggered (n2)")),
        "2 times in the history: Triggered (n2)",
    ),
    "no history": (lambda: with_history(good()), "0 entries cannot be judged"),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_finds(name: str) -> None:
    make, fault = WRONG[name]

    assert fault in faults(make())


def test_it_says_which_mails_are_still_missing() -> None:
    assert untold(good()) == []
    assert untold(replace(good(), told=[late(15), resumed(20)])) == [f"abcdefgh: no LATE of 12:00:30.000000 for {JO}"]
