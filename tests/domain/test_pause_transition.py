"""Creating, pausing and unpausing a canary, and when it is due."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coal_mine.domain.canary import Canary, Entry, created, paused, unpaused
from coal_mine.domain.errors import Invalid
from coal_mine.domain.periodicity import Every
from tests.domain.samples import BACKUP, HOUR, LATE_BACKUP, NOW, PAUSED_BACKUP, SECOND, alert

PAUSED = Entry(NOW, "Paused", "n1")
UNPAUSED = Entry(NOW, "Unpaused", "n1")


def new(*, paused: bool) -> Canary:
    return created(id="fbkvlsby", name="Web", slug="web", description="", periodicity=Every(3_600), emails=(), paused=paused, at=NOW)


def test_a_new_canary_is_due_one_periodicity_after_its_creation() -> None:
    assert new(paused=False).deadline == NOW + HOUR


def test_a_canary_created_paused_has_no_deadline() -> None:
    assert new(paused=True).deadline is None


def test_a_new_canary_is_not_late() -> None:
    assert not new(paused=False).late


def test_pausing_clears_the_deadline() -> None:
    assert paused(BACKUP, PAUSED).after == replace(BACKUP, paused=True, deadline=None, last_event_at=NOW)


def test_pausing_enters_the_history() -> None:
    assert paused(BACKUP, PAUSED).entry == PAUSED


def test_pausing_a_late_canary_makes_it_timely() -> None:
    assert not paused(LATE_BACKUP, PAUSED).after.late


def test_pausing_a_late_canary_owes_no_alert() -> None:
    assert paused(LATE_BACKUP, PAUSED).owe == ()


def test_pausing_a_late_canary_withdraws_no_alert() -> None:
    owing = replace(LATE_BACKUP, owed=(alert(deadline=LATE_BACKUP.deadline),))
    transition = paused(owing, PAUSED)

    assert transition.withdraw is None
    assert transition.after.owed == owing.owed


def test_pausing_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="already paused"):
        paused(PAUSED_BACKUP, PAUSED)


def test_unpausing_sets_the_deadline_to_now_plus_the_periodicity() -> None:
    assert unpaused(PAUSED_BACKUP, UNPAUSED).after == replace(BACKUP, deadline=NOW + HOUR, last_event_at=NOW)


def test_unpausing_makes_a_canary_timely_that_an_old_store_holds_as_late_and_paused() -> None:
    assert not unpaused(replace(PAUSED_BACKUP, late=True), UNPAUSED).after.late


def test_unpausing_enters_the_history() -> None:
    assert unpaused(PAUSED_BACKUP, UNPAUSED).entry == UNPAUSED


def test_unpausing_owes_no_alert() -> None:
    assert unpaused(PAUSED_BACKUP, UNPAUSED).owe == ()


def test_unpausing_a_running_canary_is_refused() -> None:
    with pytest.raises(Invalid, match="not paused"):
        unpaused(BACKUP, UNPAUSED)


def test_a_pause_never_turns_back_the_time_of_the_newest_event() -> None:
    newest = replace(BACKUP, last_event_at=NOW + SECOND)

    assert paused(newest, PAUSED).after.last_event_at == NOW + SECOND


def test_an_unpause_never_turns_back_the_time_of_the_newest_event() -> None:
    newest = replace(PAUSED_BACKUP, last_event_at=NOW + SECOND)

    assert unpaused(newest, UNPAUSED).after.last_event_at == NOW + SECOND


def test_a_canary_is_due_from_its_deadline_on() -> None:
    assert replace(BACKUP, deadline=NOW).is_due(NOW)


def test_a_canary_is_not_due_before_its_deadline() -> None:
    assert not replace(BACKUP, deadline=NOW + SECOND).is_due(NOW)


def test_a_paused_canary_is_never_due() -> None:
    assert not PAUSED_BACKUP.is_due(NOW)


def test_a_late_canary_is_not_due_again() -> None:
    assert not LATE_BACKUP.is_due(NOW)
