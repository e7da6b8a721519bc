"""periodicity: a number of seconds, or windows of time with a number each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.api.times import parsed, seconds_between
from tests.support.server import API, CoalMine

DOCUMENTED = "* * * * sat,sun 300 ; * 0-12 * * mon-fri 300 ; # comment ; * 13-23 * * mon-fri 90"


@pytest.fixture
def half_a_year_on() -> datetime:
    """The first day of a month that is five to seven months away."""
    now = datetime.now(UTC)
    months = now.month + 5
    return datetime(now.year + months // 12, months % 12 + 1, 1, tzinfo=UTC)


def test_the_documented_example_is_taken_as_it_is(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=DOCUMENTED)["canary"]

    assert canary["periodicity"] == DOCUMENTED


def test_the_answer_tells_how_the_schedule_plays_out(server: CoalMine, name: str) -> None:
    spans = server.call("create", name=name, periodicity=DOCUMENTED)["canary"]["periodicity_schedule"]

    assert {seconds for _, _, seconds in spans} == {300, 90}
    assert seconds_between(spans[0][0], spans[-1][1]) >= 7 * 86_400 - 60
    for (_, end, _), (start, _, _) in pairwise(spans):
        assert seconds_between(end, start) == 60


def test_in_a_window_the_deadline_is_now_plus_its_seconds(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity="* * * * * 300")["canary"]

    assert seconds_between(canary["history"][0][0], canary["deadline"]) == 300


def test_in_a_gap_the_deadline_is_the_next_windows_start_plus_its_seconds(server: CoalMine, name: str, half_a_year_on: datetime) -> None:
    canary = server.call("create", name=name, periodicity=f"* * * {half_a_year_on.month} * 600")["canary"]

    assert parsed(canary["deadline"]) == half_a_year_on + timedelta(seconds=600)
    assert (canary["paused"], canary["late"]) == (False, False)


def test_a_gap_is_shown_as_inactive(server: CoalMine, name: str, half_a_year_on: datetime) -> None:
    canary = server.call("create", name=name, periodicity=f"* * * {half_a_year_on.month} * 600")["canary"]

    assert [seconds for _, _, seconds in canary["periodicity_schedule"]] == ["Inactive", 600]


def test_a_trigger_in_a_gap_does_not_move_the_deadline(server: CoalMine, name: str, half_a_year_on: datetime) -> None:
    canary = server.call("create", name=name, periodicity=f"* * * {half_a_year_on.month} * 600")["canary"]
    server.get(f"/{canary['id']}")

    assert server.call("get", id=canary["id"])["canary"]["deadline"] == canary["deadline"]


def test_a_deadline_that_would_fall_into_a_gap_moves_behind_it(server: CoalMine, name: str, half_a_year_on: datetime) -> None:
    now = datetime.now(UTC)
    a_hundred_days = 8_640_000
    text = f"* * * {now.month},{now.month % 12 + 1} * {a_hundred_days} ; * * * {half_a_year_on.month} * 600"
    canary = server.call("create", name=name, periodicity=text)["canary"]

    assert parsed(canary["deadline"]) == half_a_year_on + timedelta(seconds=600)


def test_a_number_can_become_windows_and_a_number_again(server: CoalMine, canary: Any) -> None:
    windows = server.call("update", id=canary["id"], periodicity=DOCUMENTED)["canary"]
    number = server.call("update", id=canary["id"], periodicity=3600)["canary"]

    assert windows["periodicity"] == DOCUMENTED
    assert "periodicity_schedule" in windows
    assert number == canary


@pytest.mark.parametrize("command", ["get", "pause", "unpause", "update"])
def test_every_answer_about_one_canary_has_the_schedule(server: CoalMine, name: str, command: str) -> None:
    canary = server.call("create", name=name, periodicity=DOCUMENTED, paused=command == "unpause")["canary"]
    more = {"description": "new"} if command == "update" else {}

    assert "periodicity_schedule" in server.call(command, id=canary["id"], **more)["canary"]


def test_the_verbose_list_has_no_schedule(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=DOCUMENTED)["canary"]
    listed = server.call("list", verbose="yes", search=canary["slug"])["canaries"][0]

    assert (listed["periodicity"], "periodicity_schedule" in listed) == (DOCUMENTED, False)


@pytest.mark.parametrize("text", [" 300 ", "300\n", "0.5"])
def test_a_number_may_stand_between_blanks(server: CoalMine, name: str, text: str) -> None:
    assert server.call("create", name=name, periodicity=text)["canary"]["periodicity"] == float(text)


def test_a_very_long_periodicity_harms_nobody(server: CoalMine, canary: Any, name: str) -> None:
    long = server.call("create", name=f"Long {name}", periodicity=3_000_000_000)["canary"]

    assert seconds_between(long["history"][0][0], long["deadline"]) == 3_000_000_000
    assert server.get(f"/{long['id']}").status_code == server.get(f"/{canary['id']}").status_code == 200


NO_NUMBERS = [
    "",
    " ",
    "0",
    "0.0",
    "-5",
    "+5",
    "nan",
    "inf",
    "-inf",
    "Infinity",
    "1e3",
    "0x10",
    "1_000",
    "abc",
    ".",
    "1.2.3",
    "\N{ARABIC-INDIC DIGIT THREE}",
    "\N{SUPERSCRIPT TWO}",
]
TOO_SMALL_OR_LARGE = ["0.0001", "3162240001", "9" * 12, "9" * 320, "0." + "0" * 400 + "1"]


@pytest.mark.parametrize("text", NO_NUMBERS + TOO_SMALL_OR_LARGE, ids=lambda text: repr(text[:20]))
def test_what_is_no_positive_number_of_seconds_is_refused(server: CoalMine, name: str, text: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=text)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"periodicity {text.strip()[:60]!r} ")
    assert server.get(f"{API}/get", name=name).status_code == 404


@pytest.mark.parametrize(
    ("text", "place", "fault"),
    [
        ("* * * * * 0", "directive 1", "'0' is not a positive number"),
        ("* * * * * -1", "directive 1", "'-1' is not a positive number"),
        ("* * * * * nan", "directive 1", "'nan' is not a positive number"),
        ("* * * * * inf", "directive 1", "'inf' is not a positive number"),
        ("* * * * 300", "directive 1", "has 5 fields"),
        ("* * * * * * 300", "directive 1", "has 7 fields"),
        ("* 0-11 * * * 300 ; * 12-23 * 300", "directive 2", "has 4 fields"),
        ("60 * * * * 300", "directive 1", "minute"),
        ("* 25 * * * 300", "directive 1", "hour"),
        ("* * 0 * * 300", "directive 1", "day"),
        ("* * * 13 * 300", "directive 1", "month"),
        ("* * * * 8 300", "directive 1", "day-of-week"),
        ("* * * * noday 300", "directive 1", "day-of-week"),
        ("0 0 30 2 * 60", "directive 1", "never comes"),
        ("0 0 1 * mon#5 60", "directive 1", "a date that never comes"),
        ("* * * * * 300 ; * * * * * 60", "directives 1", "overlap"),
        ("* * * * sat 300 ; # one ; * 5 * * 1-6 60", "directives 1", "overlap"),
        ("* * 1 * * 300 ; 0 0 * * fri 60", "directives 1", "overlap"),
        (";", "schedule", "no directive"),
        ("; # nothing ;", "schedule", "no directive"),
        (" ; ".join(f"{minute} 0 * * * 5" for minute in range(60)) + " ; 0 1 * * * 5", "schedule", "at most 60"),
        ("0 0 29 2 * 3600 ; " * 300, "periodicity", "at most 4096"),
    ],
    ids=lambda text: text[:40],
)
def test_a_malformed_schedule_is_refused_with_fault_and_place(server: CoalMine, name: str, text: str, place: str, fault: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=text)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("periodicity")
    assert place in answer.json()["error"]
    assert fault in answer.json()["error"]
