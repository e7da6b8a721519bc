"""The words of alerts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coal_mine.domain.alert import Alert, Delivery, Kind, Receiver
from coal_mine.domain.canary import Entry
from coal_mine.domain.message import EVENTS_SHOWN, Message, alert_message, digest_message
from tests.domain.samples import HOUR, NOW, SECOND, alert

EVENTS = [Entry(NOW - HOUR, "Triggered (all well)"), Entry(NOW - 2 * HOUR, "Canary created")]
RESUMED = alert(kind=Kind.RESUMED, deadline=NOW + HOUR)
KINDS = pytest.mark.parametrize("kind", list(Kind))


def message(told: Alert, events: list[Entry] = EVENTS) -> Message:
    return alert_message("d1", told, events)


def test_a_late_message_tells_the_deadline_that_passed_and_the_recent_events() -> None:
    assert message(alert()) == Message(
        id="d1",
        at=NOW,
        subject="[LATE] Nightly Backup has not reported",
        body=(
            "The canary Nightly Backup (fbkvlsby) was expected to report before 2026-11-22T11:59:59.250Z.\n"
            "\n"
            "Recent events for this canary:\n"
            "\n"
            "2026-11-22T11:00:00.250Z Triggered (all well)\n"
            "2026-11-22T10:00:00.250Z Canary created\n"
        ),
        told=("[LATE] The canary Nightly Backup (fbkvlsby) was expected to report before 2026-11-22T11:59:59.250Z.",),
    )


def test_a_resumed_message_tells_the_next_deadline_too() -> None:
    assert message(RESUMED, []) == Message(
        id="d1",
        at=NOW,
        subject="[RESUMED] Nightly Backup is reporting again",
        body=(
            "The canary Nightly Backup (fbkvlsby) is reporting again as of 2026-11-22T12:00:00.250Z.\n"
            "\n"
            "The next trigger for this canary is due before 2026-11-22T13:00:00.250Z.\n"
        ),
        told=("[RESUMED] The canary Nightly Backup (fbkvlsby) is reporting again as of 2026-11-22T12:00:00.250Z.",),
    )


def test_a_late_message_without_a_deadline_still_says_late() -> None:
    assert "was expected to report before" in message(alert(deadline=None)).body


def test_only_the_newest_events_are_shown() -> None:
    events = [Entry(NOW - place * SECOND, f"event {place}") for place in range(EVENTS_SHOWN + 5)]

    assert message(alert(), events).body.splitlines()[-1].endswith(f"event {EVENTS_SHOWN - 1}")


@KINDS
@given(name=st.text(st.characters()))
def test_no_name_breaks_the_subject_line(kind: Kind, name: str) -> None:
    subject = message(alert(kind=kind, canary_name=name)).subject

    assert subject.encode().decode().splitlines() == [subject]


@KINDS
def test_a_name_with_lines_forges_neither_header_nor_body(kind: Kind) -> None:
    name = "x\nBcc: victim@example.com\r\n\r\nInjected"
    told = message(alert(kind=kind, canary_name=name))

    assert not any(line.startswith(("Bcc", "Injected")) for line in (told.subject + "\n" + told.body).splitlines())


@given(st.text(st.characters()))
def test_an_events_text_stays_on_its_line(text: str) -> None:
    plain = message(alert(), [Entry(NOW, "Triggered")]).body.splitlines()
    told = message(alert(), [Entry(NOW, f"Triggered ({text})")]).body.encode().decode().splitlines()

    assert len(told) == len(plain)


def test_a_digest_tells_all_changes_and_counts_them() -> None:
    assert digest_message("b1", [alert(at=NOW - SECOND), alert(canary_name="Web"), RESUMED]) == Message(
        id="b1",
        at=NOW,
        subject="[2 LATE, 1 RESUMED] Coal Mine digest",
        body=(
            "3 changes of canaries, oldest first:\n"
            "\n"
            "[LATE] The canary Nightly Backup (fbkvlsby) was expected to report before 2026-11-22T11:59:59.250Z.\n"
            "[LATE] The canary Web (fbkvlsby) was expected to report before 2026-11-22T11:59:59.250Z.\n"
            "[RESUMED] The canary Nightly Backup (fbkvlsby) is reporting again as of 2026-11-22T12:00:00.250Z.\n"
        ),
        told=(
            "[LATE] The canary Nightly Backup (fbkvlsby) was expected to report before 2026-11-22T11:59:59.250Z.",
            "[LATE] The canary Web (fbkvlsby) was expected to report before 2026-11-22T11:59:59.250Z.",
            "[RESUMED] The canary Nightly Backup (fbkvlsby) is reporting again as of 2026-11-22T12:00:00.250Z.",
        ),
    )


def test_a_digest_does_not_name_a_kind_that_it_does_not_hold() -> None:
    assert digest_message("b1", [alert(), alert()]).subject == "[2 LATE] Coal Mine digest"


@given(st.text(st.characters()))
def test_a_digest_has_one_line_for_each_change_whatever_the_names(name: str) -> None:
    told = digest_message("b1", [alert(canary_name=name)] * 3).body.encode().decode()

    assert len(told.splitlines()) == 5


def test_an_alert_goes_to_each_address_once() -> None:
    told = alert(emails=("jo@example.com", "al@example.com", "jo@example.com"))

    assert told.receivers == (Receiver("email", "jo@example.com"), Receiver("email", "al@example.com"))


def test_the_same_change_has_the_same_id_whoever_writes_it() -> None:
    assert alert().id == alert(canary_name="renamed meanwhile").id


@pytest.mark.parametrize("other", [alert(kind=Kind.RESUMED), alert(canary_id="abcdefgh"), alert(at=NOW + SECOND / 1_000)])
def test_another_change_has_another_id(other: Alert) -> None:
    assert alert().id != other.id


def test_a_delivery_is_named_after_its_alert_and_receiver() -> None:
    delivery = Delivery(alert=alert(), receiver=Receiver("email", "jo@example.com"))

    assert delivery.id == f"{alert().id}|email|jo@example.com"
