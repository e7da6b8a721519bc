"""Times and durations in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from coal_mine.cli.wording import distance, duration

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "in 0 s"),
        (89.4, "in 89 s"),
        (299.9, "in 5 min"),
        (89 * 60, "in 89 min"),
        (90 * 60, "in 2 h"),
        (35 * 3_600, "in 35 h"),
        (36 * 3_600, "in 2 days"),
        (3 * 365 * 86_400, "in 3 years"),
        (-61, "61 s ago"),
        (-7_200, "2 h ago"),
    ],
)
def test_distances_are_rounded(seconds: float, words: str) -> None:
    assert distance(NOW + timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.001, "0.001 s"),
        (0.5, "0.5 s"),
        (90, "1 min 30 s"),
        (300, "5 min"),
        (3_600, "1 h"),
        (90_000, "1 day 1 h"),
        (172_800, "2 days"),
        (86_461.5, "1 day 1 min 1.5 s"),
    ],
)
def test_durations_are_exact(seconds: float, words: str) -> None:
    assert duration(seconds) == words
