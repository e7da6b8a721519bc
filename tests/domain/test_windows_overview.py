"""What a schedule of windows says about the coming time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from coal_mine.domain.windows import MAX_OVERVIEW, Span, Windows
from tests.domain.oracle import EVENTS, MINUTE, Rule, rules, seconds_at, text_of

SUNDAY_NOON = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
SOME_RULES = st.lists(rules(), min_size=1, max_size=3)


def overview(text: str, now: datetime = SUNDAY_NOON) -> list[Span]:
    return Windows.parse(text).overview(now)


def test_it_begins_with_the_present_minute() -> None:
    assert overview("* * * * sat,sun 300")[0] == Span(datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC), 300)


def test_a_gap_is_shown_without_seconds() -> None:
    assert overview("* * * * sat,sun 300")[1] == Span(datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC), None)


def test_it_ends_after_a_week_when_all_directives_have_had_their_turn() -> None:
    assert overview("* * * * sat,sun 300")[-1].end == datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_a_window_without_end_is_shown_for_a_week() -> None:
    assert overview("* * * * * 300") == [
        Span(datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 29, 12, tzinfo=UTC), 300),
    ]


def test_it_goes_on_until_the_rarest_directive_has_had_its_turn() -> None:
    last = overview("* * 1 * * 300 ; 0-9 6 29 2 * 60")[-1]

    assert last == Span(datetime(2028, 2, 29, 6, tzinfo=UTC), datetime(2028, 2, 29, 6, 10, tzinfo=UTC), 60)


def test_a_turn_that_is_over_today_does_not_count() -> None:
    last = overview("0-9 6 29 2 * 60", datetime(2028, 2, 29, 12, tzinfo=UTC))[-1]

    assert last.start == datetime(2032, 2, 29, 6, tzinfo=UTC)


def test_a_schedule_that_changes_each_minute_is_not_shown_in_full() -> None:
    assert len(overview("*/2 * * * * 60")) == MAX_OVERVIEW


@given(SOME_RULES, EVENTS)
def test_each_span_begins_where_the_one_before_ends_and_differs_from_it(some: list[Rule], now: datetime) -> None:
    spans = overview(text_of(some), now)

    assert all(one.end == other.start and one.seconds != other.seconds for one, other in pairwise(spans))


@settings(max_examples=50)
@given(SOME_RULES, EVENTS)
def test_each_minute_shown_has_the_seconds_of_its_directive(some: list[Rule], now: datetime) -> None:
    spans = overview(text_of(some), now)[:50]
    shown = {span.start + MINUTE * place: span.seconds for span in spans for place in range(0, (span.end - span.start) // MINUTE, 7)}

    assert shown == {minute: seconds_at(some, minute) for minute in shown}


@given(SOME_RULES, EVENTS)
def test_it_covers_a_week_unless_it_is_cut_short(some: list[Rule], now: datetime) -> None:
    spans = overview(text_of(some), now)

    assert spans[-1].end >= now.replace(second=0, microsecond=0) + timedelta(days=7) or len(spans) == MAX_OVERVIEW
