"""The words of alerts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coal_mine.domain.alert import Alert, Delivery, Kind, Receiver
from coal_mine.domain.canary import Entry
from coal_mine.domain.message import EVENTS_SHOWN, Message, alert_message, digest_message
from coal_mine.domain.node import Node, node_stopped_alert
from coal_mine.domain.server import Server, resumed_alert, stopped_alert
from tests.domain.samples import HOUR, NOW, SECOND, alert

EVENTS = [Entry(NOW - HOUR, "Triggered (all well)"), Entry(NOW - 2 * HOUR, "Canary created")]
RESUMED = alert(kind=Kind.RESUMED, deadline=NOW + HOUR)
SERVER = Server(id="alpha|4711|n1", host="alpha", pid=4711, background=True, version="1", started_at=NOW - HOUR, seen_at=NOW)
OPS = ("ops@example.com",)
STOPPED = stopped_alert(SERVER, others_alive=True, operators=OPS)
LAST_STOPPED = stopped_alert(SERVER, others_alive=False, operators=OPS)
BACK = resumed_alert(SERVER, NOW, operators=OPS)
ALL = pytest.mark.parametrize("told", [alert(), RESUMED, STOPPED, BACK], ids=["late", "resumed", "stopped", "back"])


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


def test_a_stopped_message_tells_which_process_what_it_means_and_what_to_do() -> None:
    assert message(STOPPED, []) == Message(
        id="d1",
        at=NOW,
        subject="[STOPPED] background process 4711 on alpha has stopped",
        body=(
            "The background process 4711 on alpha was last seen at 2026-11-22T12:00:00.250Z and has not ended cleanly.\n"
            "\n"
            "Another background is alive: deadlines are watched and alerts leave as before.\n"
            "\n"
            "It has died, hangs or is cut off from the store. Look at its log. You will hear if it comes back by itself.\n"
        ),
        told=("[STOPPED] The background process 4711 on alpha was last seen at 2026-11-22T12:00:00.250Z and has not ended cleanly.",),
    )


def test_a_stopped_message_says_what_does_not_happen_while_no_other_background_lives() -> None:
    alone = message(LAST_STOPPED, []).body

    assert "No other background was alive: until one is, no canary becomes late and no alert of a canary leaves.\n" in alone


def test_a_message_of_a_background_that_is_back_says_that_it_had_not_died() -> None:
    told = message(BACK, [])

    assert told.subject == "[RESUMED] background process 4711 on alpha is back"
    assert told.body.startswith(
        "The background process 4711 on alpha, which had stopped, is back as of 2026-11-22T12:00:00.250Z.\n\nIt had not"
    )


def test_a_message_about_a_node_says_how_to_give_it_up() -> None:
    node = Node(
        name="db1", pools=(), users=(), timezone="UTC", slots=1, cpus=0, mem=0, host="db1.example.com", pid=1, boot="", version="1",
        started_at=NOW, seen_at=NOW,
    )  # fmt: skip

    assert message(node_stopped_alert(node, operators=("ops@example.com",)), []) == Message(
        id="d1",
        at=NOW,
        subject="[STOPPED] node db1 on db1.example.com has stopped",
        body=(
            "The node db1 on db1.example.com was last seen at 2026-11-22T12:00:00.250Z and has not ended cleanly.\n"
            "\n"
            "It starts nothing until it is back, and whether what it had started goes on, nobody knows.\n"
            "\n"
            "It has died, hangs or is cut off from the store. Look at its log. You will hear when it is back.\n"
            "If it never will be, say so: cmcli node remove db1\n"
        ),
        told=("[STOPPED] The node db1 on db1.example.com was last seen at 2026-11-22T12:00:00.250Z and has not ended cleanly.",),
    )


def test_a_late_message_without_a_deadline_still_says_late() -> None:
    assert "was expected to report before" in message(alert(deadline=None)).body


def test_only_the_newest_events_are_shown() -> None:
    events = [Entry(NOW - place * SECOND, f"event {place}") for place in range(EVENTS_SHOWN + 5)]

    assert message(alert(), events).body.splitlines()[-1].endswith(f"event {EVENTS_SHOWN - 1}")


@ALL
@given(name=st.text(st.characters()))
def test_no_name_breaks_the_subject_line(told: Alert, name: str) -> None:
    subject = message(replace(told, name=name)).subject

    assert subject.encode().decode().splitlines() == [subject]


@ALL
def test_a_name_with_lines_forges_neither_header_nor_body(told: Alert) -> None:
    sent = message(replace(told, name="x\nBcc: victim@example.com\r\n\r\nInjected"))

    assert not any(line.startswith(("Bcc", "Injected")) for line in (sent.subject + "\n" + sent.body).splitlines())


@given(st.text(st.characters()))
def test_an_events_text_stays_on_its_line(text: str) -> None:
    plain = message(alert(), [Entry(NOW, "Triggered")]).body.splitlines()
    told = message(alert(), [Entry(NOW, f"Triggered ({text})")]).body.encode().decode().splitlines()

    assert len(told) == len(plain)


def test_a_digest_tells_all_changes_and_counts_them() -> None:
    assert digest_message("b1", [alert(at=NOW - SECOND), alert(name="Web"), RESUMED]) == Message(
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


def test_a_digest_for_operators_speaks_of_backgrounds_and_says_what_the_last_stop_means() -> None:
    assert digest_message("b1", [replace(STOPPED, at=NOW - SECOND), LAST_STOPPED]) == Message(
        id="b1",
        at=NOW,
        subject="[2 STOPPED] Coal Mine digest",
        body=(
            "2 changes of backgrounds and nodes, oldest first:\n"
            "\n"
            "[STOPPED] The background process 4711 on alpha was last seen at 2026-11-22T11:59:59.250Z and has not ended cleanly.\n"
            "[STOPPED] The background process 4711 on alpha was last seen at 2026-11-22T12:00:00.250Z and has not ended cleanly.\n"
            "\n"
            "About the last of them:\n"
            "\n"
            "No other background was alive: until one is, no canary becomes late and no alert of a canary leaves.\n"
            "\n"
            "It has died, hangs or is cut off from the store. Look at its log. You will hear if it comes back by itself.\n"
        ),
        told=(
            "[STOPPED] The background process 4711 on alpha was last seen at 2026-11-22T11:59:59.250Z and has not ended cleanly.",
            "[STOPPED] The background process 4711 on alpha was last seen at 2026-11-22T12:00:00.250Z and has not ended cleanly.",
        ),
    )


@given(st.text(st.characters()))
def test_a_digest_has_one_line_for_each_change_whatever_the_names(name: str) -> None:
    told = digest_message("b1", [alert(name=name)] * 3).body.encode().decode()

    assert len(told.splitlines()) == 5


def test_an_alert_goes_to_each_address_once() -> None:
    told = alert(emails=("jo@example.com", "al@example.com", "jo@example.com"))

    assert told.receivers == (Receiver("email", "jo@example.com"), Receiver("email", "al@example.com"))


def test_an_alert_of_a_server_goes_to_the_operators_own_channel() -> None:
    assert STOPPED.receivers == (Receiver("operators", "ops@example.com"),)


def test_an_alert_of_a_server_without_operators_goes_nowhere() -> None:
    assert replace(STOPPED, emails=()).receivers == ()


def test_the_same_change_has_the_same_id_whoever_writes_it() -> None:
    assert alert().id == alert(name="renamed meanwhile").id


@pytest.mark.parametrize("other", [alert(kind=Kind.RESUMED), alert(about="abcdefgh"), alert(at=NOW + SECOND / 1_000)])
def test_another_change_has_another_id(other: Alert) -> None:
    assert alert().id != other.id


def test_a_delivery_is_named_after_its_alert_and_receiver() -> None:
    delivery = Delivery(alert=alert(), receiver=Receiver("email", "jo@example.com"))

    assert delivery.id == f"{alert().id}|email|jo@example.com"
