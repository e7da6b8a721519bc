"""How schedules are given, kept and refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.schedule import parse_schedule, schedule_from_json
from tests.domain.samples import NOW
from tests.domain.ticking import PARIS, parsed

EXAMPLES: list[dict[str, Any]] = [
    {"cron": "*/5 * * * *"},
    {"cron": "H H(1-5) * * *"},
    {"cron": "@daily"},
    {"every": 300},
    {"every": 1.5, "from": "2026-11-22T10:00:00+01:00"},
    {"at": "2026-12-24T18:00:00"},
    {"fields": {"minute": ["*/5", [1, None]], "hour": "3-5"}},
    {"fields": None},
    {"rrule": "FREQ=WEEKLY;BYDAY=MO;BYHOUR=3;BYMINUTE=0"},
    {"rrule": "FREQ=DAILY;INTERVAL=3;COUNT=5", "from": "2026-11-22T10:00:00Z"},
    {"rrule": "FREQ=DAILY;UNTIL=20280101", "from": "2027-03-28T02:30:00", "timezone": PARIS},
]
EACH = pytest.mark.parametrize("example", EXAMPLES, ids=str)


@EACH
def test_a_schedule_is_the_same_after_any_time(example: dict[str, Any]) -> None:
    schedule = parsed(example)
    text = json.dumps(schedule.as_json())

    assert parsed(json.loads(text), seed="another", now=NOW + timedelta(days=400)) == schedule


@EACH
def test_what_is_stored_is_read_as_the_same(example: dict[str, Any]) -> None:
    schedule = parsed(example)

    assert schedule_from_json(json.dumps(schedule.as_json())) == schedule


@EACH
def test_what_is_stored_ticks_as_before(example: dict[str, Any]) -> None:
    schedule = parsed(example)

    assert schedule_from_json(json.dumps(schedule.as_json())).tick_after(NOW) == schedule.tick_after(NOW)


@EACH
def test_the_zone_is_always_named(example: dict[str, Any]) -> None:
    schedule = parse_schedule({"timezone": None, **example}, field="schedules[2]", seed="", now=NOW, timezone=PARIS)

    assert schedule.as_json()["timezone"] == PARIS


@EACH
def test_other_schedules_are_other_values(example: dict[str, Any]) -> None:
    assert [parsed(other) == parsed(example) for other in EXAMPLES].count(True) == 1


@EACH
def test_equal_schedules_have_the_same_hash(example: dict[str, Any]) -> None:
    assert hash(parsed(example)) == hash(parsed(example))


def test_a_named_zone_goes_before_the_default() -> None:
    schedule = parse_schedule({"cron": "@daily", "timezone": PARIS}, field="schedules[2]", seed="", now=NOW, timezone="Asia/Tokyo")

    assert schedule.as_json()["timezone"] == PARIS


@pytest.mark.parametrize("value", [None, 5, True, "*/5 * * * *", ["@daily"], []], ids=str)
def test_only_an_object_is_a_schedule(value: object) -> None:
    with pytest.raises(Invalid, match=r'^schedules\[2\] .*: must be an object such as {"cron"'):
        parsed(value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({}, "none"),
        ({"timezone": "UTC"}, "none"),
        ({"cron": "@daily", "every": 5}, "cron and every"),
        ({"at": None, "fields": None}, "at and fields"),
    ],
)
def test_it_must_be_of_exactly_one_kind(value: object, found: str) -> None:
    with pytest.raises(Invalid, match=rf"^schedules\[2\] must have exactly one of cron, every, at, fields, rrule; it has {found}$"):
        parsed(value)


@pytest.mark.parametrize(
    ("value", "key", "known"),
    [
        ({"cron": "@daily", "from": "2026-11-22T10:00:00Z"}, "from", "timezone, seed"),
        ({"every": 5, "form": "2026-11-22T10:00:00Z"}, "form", "from, timezone"),
        ({"at": "2026-11-22T10:00:00Z", "tz": "UTC"}, "tz", "timezone"),
        ({"fields": None, "minute": 5}, "minute", "timezone"),
        ({"rrule": "FREQ=DAILY", "until": "2027"}, "until", "from, timezone"),
    ],
)
def test_an_unknown_key_is_refused_by_its_name(value: object, key: str, known: str) -> None:
    with pytest.raises(Invalid, match=rf"^schedules\[2\] has an unknown key '{key}'; beside .* there may be {known}$"):
        parsed(value)


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "America", "a\0b", "\ud800", "", "x" * 4_000])
def test_an_unknown_zone_is_refused(timezone: str) -> None:
    with pytest.raises(Invalid, match=r"^schedules\[2\]\.timezone .* is not known; give a name such as Europe/Paris or UTC$"):
        parsed({"cron": "@daily", "timezone": timezone})


@pytest.mark.parametrize(("key", "value"), [("cron", 5), ("rrule", None), ("at", {})])
def test_a_text_is_needed_where_one_is_read(key: str, value: object) -> None:
    with pytest.raises(Invalid, match=rf"^schedules\[2\]\.{key} .*: must be a text$"):
        parsed({key: value})


@pytest.mark.parametrize("key", ["cron", "every", "at", "rrule"])
def test_lists_in_lists_are_refused_in_a_short_message(key: str) -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(Invalid, match=rf"^schedules\[2\]\.{key} .{{1,80}}: must be a (text|number of seconds)$"):
        parsed({key: value})
