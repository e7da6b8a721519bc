"""What an older or newer version stored must not stop everything."""

from __future__ import annotations

import json

from coal_mine.domain.definition import definition_as_text, definition_from_text
from coal_mine.domain.schedule import schedule_from_json
from coal_mine.domain.schedules.unreadable import Unreadable
from coal_mine.domain.times import EPOCH

GONE = {"cron": "0 6 * * *", "timezone": "Europe/Atlantis"}


def test_a_stored_schedule_whose_zone_was_dropped_has_no_ticks_and_says_why() -> None:
    found = schedule_from_json(json.dumps(GONE))

    assert isinstance(found, Unreadable)
    assert found.tick_after(EPOCH) is None
    assert "Europe/Atlantis" in found.fault


def test_a_definition_with_such_a_schedule_is_read_and_written_back_as_it_was() -> None:
    text = definition_as_text(definition_from_text('{"name":"Old","command":"true","schedules":[]}', "old"))
    stored = text.replace('"schedules":[]', f'"schedules":[{json.dumps(GONE, separators=(",", ":"))}]')

    assert definition_as_text(definition_from_text(stored, "old")) == stored
