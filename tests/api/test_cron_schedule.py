"""schedule, grace and timezone: a trigger is due at each tick, a grace later at the latest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.times import parsed, seconds_between
from tests.support.server import API, CoalMine


@pytest.fixture
def payroll(server: CoalMine, name: str) -> Any:
    """Due at the first minute of each year in a zone without daylight saving time."""
    return server.call("create", name=name, schedule="0 0 1 1 *", grace=60, timezone="Asia/Kolkata")["canary"]


def test_the_answer_has_the_three_fields_in_place_of_the_periodicity(payroll: Any) -> None:
    fields = ["id", "name", "slug", "schedule", "grace", "timezone", "description", "emails", "paused", "history", "late", "deadline"]

    assert list(payroll) == fields
    assert (payroll["schedule"], payroll["grace"], payroll["timezone"]) == ("0 0 1 1 *", 60, "Asia/Kolkata")


def test_grace_and_zone_have_defaults(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, schedule="0 0 1 1 *")["canary"]

    assert (canary["grace"], canary["timezone"]) == (3600, "UTC")


def test_the_deadline_is_the_first_tick_in_the_zone_plus_the_grace(payroll: Any) -> None:
    assert payroll["deadline"].endswith("-12-31T18:31:00.000Z")
    assert 0 < seconds_between(payroll["history"][0][0], payroll["deadline"]) < 367 * 86_400


def test_a_frequent_schedule_is_due_at_the_next_tick(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, schedule="* * * * *", grace=0.5)["canary"]

    assert 0 < seconds_between(canary["history"][0][0], canary["deadline"]) <= 60.5
    assert (parsed(canary["deadline"]).second, parsed(canary["deadline"]).microsecond) == (0, 500_000)


def test_a_trigger_makes_the_tick_after_it_due(server: CoalMine, payroll: Any) -> None:
    server.get(f"/{payroll['id']}")
    triggered = server.call("get", id=payroll["id"])["canary"]

    assert (triggered["deadline"], triggered["late"]) == (payroll["deadline"], False)


def test_unpausing_makes_the_next_tick_due(server: CoalMine, payroll: Any) -> None:
    paused = server.call("pause", id=payroll["id"])["canary"]
    unpaused = server.call("unpause", id=payroll["id"])["canary"]

    assert "deadline" not in paused
    assert unpaused["deadline"] == payroll["deadline"]


@pytest.mark.parametrize("alias", ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@HOURLY"])
def test_common_words_are_understood(server: CoalMine, name: str, alias: str) -> None:
    canary = server.call("create", name=name, schedule=alias, grace=60)["canary"]

    assert parsed(canary["deadline"]).minute == 1


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"grace": "120"}, ("0 0 1 1 *", 120, "Asia/Kolkata")),
        ({"grace": "0.25"}, ("0 0 1 1 *", 0.25, "Asia/Kolkata")),
        ({"timezone": "Europe/Paris"}, ("0 0 1 1 *", 60, "Europe/Paris")),
        ({"timezone": ""}, ("0 0 1 1 *", 60, "UTC")),
        ({"schedule": "30 4 * * mon"}, ("30 4 * * mon", 60, "Asia/Kolkata")),
        ({"schedule": "@daily", "grace": "1", "timezone": "UTC"}, ("@daily", 1, "UTC")),
    ],
)
def test_each_of_the_three_can_be_updated_alone(server: CoalMine, payroll: Any, given: dict[str, str], shown: tuple[Any, ...]) -> None:
    updated = server.call("update", id=payroll["id"], **given)["canary"]

    assert (updated["schedule"], updated["grace"], updated["timezone"]) == shown


def test_a_periodicity_can_become_a_schedule_and_a_periodicity_again(server: CoalMine, canary: Any) -> None:
    scheduled = server.call("update", id=canary["id"], schedule="0 0 1 1 *")["canary"]
    periodic = server.call("update", id=canary["id"], periodicity=3600)["canary"]

    assert ("periodicity" in scheduled, scheduled["schedule"]) == (False, "0 0 1 1 *")
    assert periodic == canary


@pytest.mark.parametrize("field", ["grace", "timezone"])
def test_a_canary_without_a_schedule_has_no_grace_or_zone(server: CoalMine, canary: Any, field: str) -> None:
    answer = server.get(f"{API}/update", id=canary["id"], **{field: "60"})

    assert (answer.status_code, answer.json()["error"]) == (400, "grace and timezone need a schedule")


@pytest.mark.parametrize("field", ["schedule", "grace", "timezone"])
def test_a_periodicity_beside_it_is_refused(server: CoalMine, name: str, field: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=60, **{field: "60"})

    assert (answer.status_code, answer.json()["error"]) == (400, f"{field} cannot be given together with periodicity")


MALFORMED = {
    "schedule": ["", "* * * *", "* * * * * *", "60 * * * *", "* * * * noday", "0 0 30 2 *", "@never", "a", "\N{SUPERSCRIPT TWO} * * * *"],
    "grace": ["", "0", "-1", "nan", "inf", "1e3", "an hour", "9" * 12],
    "timezone": ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/Paris\0", "x" * 5_000, "CEST5", "."],
}


@pytest.mark.parametrize(
    ("field", "text"), [(field, text) for field, texts in MALFORMED.items() for text in texts], ids=lambda text: repr(text[:20])
)
def test_what_is_malformed_is_refused_by_name(server: CoalMine, name: str, field: str, text: str) -> None:
    answer = server.get(f"{API}/create", **{"name": name, "schedule": "0 * * * *", field: text})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{field} {text[:60]!r}")


def test_a_schedule_that_is_too_long_is_refused(server: CoalMine, name: str) -> None:
    answer = server.get(f"{API}/create", name=name, schedule="0," * 3_000 + "0 * * * *")

    assert (answer.status_code, answer.json()["error"]) == (400, "schedule has 6009 characters; at most 4096 are allowed")
