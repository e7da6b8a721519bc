"""What a sender does when the other side takes, refuses or fails."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from coal_mine.background.outbox import FIRST_RETRY, LAST_RETRY, LEASE, Sender
from coal_mine.domain.alert import DeliveryState
from coal_mine.domain.errors import DeliveryFailed, DeliveryRefused, StoreUnavailable
from coal_mine.domain.message import Message
from coal_mine.services.canaries import Canaries, Reference
from coal_mine.services.definitions import Definition
from coal_mine.stores.sqlite.store import SqliteStore, open_store
from tests.support.edges import FakeClock, Letterbox, SequenceIds


@pytest.fixture
def letterbox() -> Letterbox:
    return Letterbox()


@pytest.fixture
def sender(store: SqliteStore, clock: FakeClock, ids: SequenceIds, letterbox: Letterbox) -> Sender:
    return Sender(store, clock, ids, {"email": letterbox}, digest_above=3)


def owe(store: SqliteStore, canaries: Canaries, clock: FakeClock, *names: str, emails: tuple[str, ...] = ("jo@example.com",)) -> None:
    """A LATE for each name, ready to be delivered."""
    for name in names:
        canaries.create(Definition(name=name, periodicity="60", emails=emails))
    store.canaries.mark_late(clock.move(timedelta(seconds=60)))
    store.outbox.expand()


def fail(_address: str, _message: Message) -> None:
    raise DeliveryFailed("no answer")


def fail_for_two(_address: str, message: Message) -> None:
    if "Two" in message.subject:
        raise DeliveryFailed("no answer")


def delivered(store: SqliteStore) -> int:
    return sum(delivery.state is DeliveryState.DELIVERED for delivery in store.outbox.deliveries(limit=100))


def waits(sender: Sender, clock: FakeClock, tries: int) -> list[timedelta]:
    """How long each of so many failing tries is followed by silence."""
    found = []
    for _ in range(tries):
        assert sender.run_once(clock.now()) == clock.now()
        next_try = sender.run_once(clock.now())
        assert isinstance(next_try, datetime)
        found.append(next_try - clock.now())
        clock.move(found[-1])
    return found


def test_each_alert_leaves_as_a_message_of_its_own(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two")
    sender.run_once(clock.now())

    assert [message.subject for _, message in letterbox.taken] == ["[LATE] One has not reported", "[LATE] Two has not reported"]


def test_nothing_is_sent_twice(store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox) -> None:
    owe(store, canaries, clock, "One")
    for _ in range(3):
        sender.run_once(clock.now())

    assert len(letterbox.taken) == 1


def test_the_wait_doubles_with_each_failure_and_ends_at_five_minutes(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One")
    letterbox.before = fail

    assert waits(sender, clock, 10) == [min(FIRST_RETRY * 2**number, LAST_RETRY) for number in range(10)]


def test_a_failure_after_a_success_waits_as_briefly_as_the_first(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two")
    letterbox.before = fail
    waits(sender, clock, 4)
    letterbox.before = fail_for_two

    assert waits(sender, clock, 1) == [FIRST_RETRY]


def test_what_was_taken_before_the_failure_is_not_sent_again(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two")
    letterbox.before = fail_for_two
    waits(sender, clock, 1)
    letterbox.before = lambda address, message: None
    sender.run_once(clock.now())

    assert [message.subject for _, message in letterbox.taken] == ["[LATE] One has not reported", "[LATE] Two has not reported"]


def test_a_refused_alert_is_kept_with_its_reason_and_the_next_one_leaves(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two")

    def refuse_one(_address: str, message: Message) -> None:
        if "One" in message.subject:
            raise DeliveryRefused("550 no such user")

    letterbox.before = refuse_one
    sender.run_once(clock.now())
    states = {delivery.alert.name: (delivery.state, delivery.error) for delivery in store.outbox.deliveries(limit=10)}

    assert states == {"One": (DeliveryState.REFUSED, "550 no such user"), "Two": (DeliveryState.DELIVERED, "")}


def test_a_sender_whose_claim_has_passed_on_stops(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox, ids: SequenceIds
) -> None:
    """It was slower than its lease, and another sender has taken over."""
    owe(store, canaries, clock, "One", "Two")
    other = Letterbox()

    def lose_the_claim(_address: str, _message: Message) -> None:
        letterbox.before = lambda address, message: None
        clock.move(LEASE)
        Sender(store, clock, ids, {"email": other}, digest_above=3).run_once(clock.now())

    letterbox.before = lose_the_claim
    sender.run_once(clock.now())

    assert len(other.taken) == 2
    assert [message.id for _, message in letterbox.taken] == [other.taken[0][1].id]


def test_a_digest_that_failed_is_the_same_message_at_the_next_try(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, *(f"Storm {number}" for number in range(5)))
    tried: list[Message] = []

    def note_and_fail(_address: str, message: Message) -> None:
        tried.append(message)
        raise DeliveryFailed("no answer")

    letterbox.before = note_and_fail
    waits(sender, clock, 1)
    letterbox.before = lambda address, message: None
    sender.run_once(clock.now())

    assert [message for _, message in letterbox.taken] == tried


def test_what_a_slow_other_side_took_is_recorded_before_the_next_message(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two", "Three")
    recorded: list[int] = []

    def take_long(_address: str, _message: Message) -> None:
        recorded.append(delivered(store))
        clock.move(timedelta(milliseconds=100))

    letterbox.before = take_long
    sender.run_once(clock.now())

    assert recorded == [0, 1, 2]


def test_what_a_fast_other_side_took_is_recorded_together(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two", "Three")
    recorded: list[int] = []
    letterbox.before = lambda address, message: recorded.append(delivered(store))
    sender.run_once(clock.now())

    assert (recorded, delivered(store)) == ([0, 0, 0], 3)


def test_what_was_taken_just_before_a_crash_is_repeated_as_the_same_message(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, ids: SequenceIds, sender: Sender, letterbox: Letterbox, tmp_path: Path
) -> None:
    owe(store, canaries, clock, "One", "Two")

    def crash_at_two(_address: str, message: Message) -> None:
        if "Two" in message.subject:
            store.close()

    letterbox.before = crash_at_two
    with pytest.raises(StoreUnavailable):
        sender.run_once(clock.now())
    again = Letterbox()
    with closing(open_store(tmp_path / "cm.sqlite3")) as reopened:
        Sender(reopened, clock, ids, {"email": again}, digest_above=3).run_once(clock.move(LEASE))

    assert again.taken == letterbox.taken


def fail_to_build(_address: str, _message: Message) -> None:
    raise TypeError("no such thing")


def test_an_error_that_nobody_expected_waits_as_long_as_a_failure_of_the_mail_server(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One")
    letterbox.before = fail_to_build

    assert waits(sender, clock, 4) == [FIRST_RETRY * 2**number for number in range(4)]


def test_an_error_that_nobody_expected_is_logged_once_with_its_place_and_its_receiver(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox, caplog: pytest.LogCaptureFixture
) -> None:
    owe(store, canaries, clock, "One")
    letterbox.before = fail_to_build
    sender.run_once(clock.now())

    (record,) = caplog.records
    assert record.message == "1 alerts for jo@example.com not delivered, next try in 1 s: TypeError: no such thing"
    assert record.exc_info
    assert record.exc_info[0] is TypeError


def test_an_error_that_nobody_expected_holds_up_no_other_receiver(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", emails=("al@example.com", "jo@example.com"))

    def fail_for_al(address: str, message: Message) -> None:
        if address == "al@example.com":
            fail_to_build(address, message)

    letterbox.before = fail_for_al
    sender.run_once(clock.now())
    sender.run_once(clock.now())

    assert [address for address, _ in letterbox.taken] == ["jo@example.com"]


def test_what_was_taken_before_an_error_that_nobody_expected_is_not_sent_again(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two")

    def fail_at_two(address: str, message: Message) -> None:
        if "Two" in message.subject:
            fail_to_build(address, message)

    letterbox.before = fail_at_two
    waits(sender, clock, 1)
    letterbox.before = lambda address, message: None
    sender.run_once(clock.now())

    assert [message.subject for _, message in letterbox.taken] == ["[LATE] One has not reported", "[LATE] Two has not reported"]


def test_a_store_that_is_away_for_a_moment_leaves_the_claim_to_the_next_one(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    """And not to whoever comes when the lease is over. The clock stands still meanwhile."""
    owe(store, canaries, clock, "One")

    def lose_the_store(_address: str, _message: Message) -> None:
        raise StoreUnavailable("the store is away")

    letterbox.before = lose_the_store
    with pytest.raises(StoreUnavailable):
        sender.run_once(clock.now())
    letterbox.before = lambda address, message: None
    sender.run_once(clock.now())

    assert [message.subject for _, message in letterbox.taken] == ["[LATE] One has not reported"]


def test_a_receiver_for_whom_much_is_waiting_gives_others_their_turn(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    owe(store, canaries, clock, "One", "Two")
    letterbox.before = lambda address, message: clock.move(timedelta(seconds=6))
    taken = []
    for _ in range(2):
        sender.run_once(clock.now())
        taken.append(len(letterbox.taken))

    assert taken == [1, 2]


def test_what_happened_after_the_alert_is_not_in_its_message(
    store: SqliteStore, canaries: Canaries, clock: FakeClock, sender: Sender, letterbox: Letterbox
) -> None:
    """Or the repetition of a message would be another one."""
    owe(store, canaries, clock, "One", "Two")
    clock.move(timedelta(seconds=1))
    for slug in ("one", "two"):
        store.canaries.trigger(canaries.id_of(Reference(slug=slug)), canaries.arrival(""))
    sender.run_once(clock.now())

    assert [message.subject for _, message in letterbox.taken] == ["[LATE] One has not reported", "[LATE] Two has not reported"]
    assert not [message for _, message in letterbox.taken if "Triggered" in message.body]
