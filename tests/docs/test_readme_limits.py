"""The README's limits, held against the code's."""

from __future__ import annotations

from coal_mine.background.outbox import KEPT, LAST_RETRY, LEASE
from coal_mine.channels.email import TIMEOUT_SECONDS
from coal_mine.config import load
from coal_mine.domain.canary import HISTORY_AGE, KEPT_HISTORY, MAX_HISTORY
from coal_mine.domain.definition import MAX_COMMAND
from coal_mine.domain.message import EVENTS_SHOWN
from coal_mine.domain.periodicity import DEFAULT_GRACE_SECONDS
from coal_mine.domain.ports import TRIGGER_SECONDS
from coal_mine.domain.seconds import MAX_SECONDS, MIN_SECONDS
from coal_mine.domain.text import MAX_COMMENT, MAX_DESCRIPTION, MAX_EMAIL, MAX_EMAILS, MAX_NAME, MAX_PERIODICITY, MAX_SEARCH
from coal_mine.domain.windows import MAX_DIRECTIVES, MAX_OVERVIEW
from coal_mine.web import bodies, output, parameters
from tests.docs.documents import README, rows, section


def test_the_table_of_limits_is_that_of_the_code() -> None:
    assert rows(section("Limits")) == [
        ["name", f"{MAX_NAME}, at least one letter or digit, no control characters"],
        ["description", f"{MAX_DESCRIPTION:,}"],
        ["comment", f"{MAX_COMMENT:,}"],
        ["periodicity, schedule", f"{MAX_PERIODICITY:,} and {MAX_DIRECTIVES} directives"],
        ["seconds", f"{MIN_SECONDS} to {MAX_SECONDS:,}"],
        ["email", f"{MAX_EMAILS} addresses of at most {MAX_EMAIL}"],
        ["search", f"{MAX_SEARCH:,}"],
        ["body of a form", f"{parameters.MAX_BODY:,} bytes"],
        ["body in JSON", f"{bodies.MAX_JSON:,} bytes, {bodies.MAX_DEPTH} levels deep"],
        ["command, script", f"{MAX_COMMAND:,}"],
        ["output in one answer", f"{output.MAX_OUTPUT:,} bytes"],
        ["parameters", f"{parameters._MAX_FIELDS}"],
    ]


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    text = " ".join(README.read_text().split())
    sentences = [
        f"From {MIN_SECONDS} to {MAX_SECONDS}",
        f"At most {MAX_DIRECTIVES} directives and {MAX_PERIODICITY:,} characters",
        f"at most {MAX_OVERVIEW:,} entries",
        f"The history keeps the last {MAX_HISTORY:,} events",
        f"the last {KEPT_HISTORY}.",
        f"newest {EVENTS_SHOWN} lines",
        f"at last every {LAST_RETRY.seconds // 60} minutes",
        f"waits at most {TIMEOUT_SECONDS:.0f} seconds",
        f"after at most {LEASE.seconds} seconds",
        f"when more than {load(None, {}).alerts.digest_above} alerts wait",
        f"in the store for {KEPT.days} days",
        f"for a trigger within {TRIGGER_SECONDS:.0f} seconds",
    ]

    assert [sentence for sentence in sentences if sentence not in text] == []


def test_a_week_is_seven_days_and_the_grace_is_an_hour() -> None:
    assert (HISTORY_AGE.days, DEFAULT_GRACE_SECONDS) == (7, 3_600)
