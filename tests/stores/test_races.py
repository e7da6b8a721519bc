"""Several things at once, in threads: what the store promises must hold whatever the order."""

from __future__ import annotations

from itertools import chain

from coal_mine.domain.alert import Kind
from coal_mine.domain.canary import Triggered, Update, paused, updated
from coal_mine.domain.errors import NotFound
from coal_mine.domain.periodicity import Every
from coal_mine.domain.ports import CanaryFilter, Store
from tests.stores.examples import HOUR, MILLISECOND, MUCH_LATER, NOW, SECOND, added, added_late, at_once, claimed, entry, finished, texts


def test_triggers_at_once_lose_no_history(store: Store) -> None:
    one = added(store)
    at_once([lambda number=number: store.canaries.trigger(one.id, entry(NOW + SECOND, str(number))) for number in range(40)])

    assert sorted(texts(store, one.id)) == sorted([*map(str, range(40)), "Canary created"])


def test_triggers_at_once_leave_the_newest_time(store: Store) -> None:
    one = added(store)
    at_once([lambda number=number: store.canaries.trigger(one.id, entry(NOW + number * MILLISECOND)) for number in range(40)])

    assert store.canaries.get(one.id).last_event_at == NOW + 39 * MILLISECOND


def test_of_triggers_at_once_one_is_told_of_the_recovery(store: Store) -> None:
    one = added_late(store)
    results = at_once([lambda: store.canaries.trigger(one.id, entry(NOW + 2 * HOUR)) for _ in range(40)])

    assert results.count(Triggered(recovered=True, unpaused=False)) == 1
    assert [alert.kind for alert in store.canaries.get(one.id).owed] == [Kind.LATE, Kind.RESUMED]


def test_a_trigger_in_time_among_later_ones_withdraws_the_alert(store: Store) -> None:
    one = added_late(store)
    times = [NOW + HOUR - MILLISECOND, *(NOW + HOUR + number * SECOND for number in range(1, 20))]
    store.canaries.trigger(one.id, entry(times[0]))
    at_once([lambda at=at: store.canaries.trigger(one.id, entry(at)) for at in times])

    assert store.canaries.get(one.id).owed == ()


def test_triggers_of_many_canaries_in_all_states_at_once_change_each_as_alone(store: Store) -> None:
    timely, late = [added(store, deadline=MUCH_LATER) for _ in range(10)], [added(store) for _ in range(10)]
    store.canaries.mark_late(NOW + HOUR)
    results = at_once([lambda one=one: store.canaries.trigger(one.id, entry(NOW + 2 * HOUR)) for one in timely + late])

    assert results == [Triggered(recovered=False, unpaused=False)] * 10 + [Triggered(recovered=True, unpaused=False)] * 10


def test_an_unknown_canary_does_not_harm_the_triggers_of_others(store: Store) -> None:
    ones = [added(store) for _ in range(10)]
    works = [lambda one=one: store.canaries.trigger(one.id, entry()) for one in ones]
    results = at_once([*works, lambda: store.canaries.trigger("nosuchid", entry())])

    assert results[:10] == [Triggered(recovered=False, unpaused=False)] * 10
    assert isinstance(results[10], NotFound)


def test_a_trigger_after_the_deadline_and_marking_late_at_once_owe_both_alerts_once(store: Store) -> None:
    """Whichever comes first: the deadline has passed, and the canary reports again."""
    ones = [added(store) for _ in range(20)]
    at = NOW + HOUR + SECOND
    marking = [lambda: store.canaries.mark_late(at) for _ in range(4)]
    triggers = [lambda one=one: store.canaries.trigger(one.id, entry(at)) for one in ones]
    results = at_once([*triggers, *marking])
    found = [store.canaries.get(one.id) for one in ones]

    assert {(each.late, each.deadline) for each in found} == {(False, at + HOUR)}
    assert {result.recovered for result in results[:20]} == {True}
    assert [[alert.kind for alert in each.owed] for each in found] == [[Kind.LATE, Kind.RESUMED]] * 20


def test_two_watchers_at_once_owe_each_alert_once(store: Store) -> None:
    ones = [added(store) for _ in range(30)]
    counts = at_once([lambda: store.canaries.mark_late(NOW + HOUR) for _ in range(4)])

    assert sum(counts) == 30
    assert [len(store.canaries.get(one.id).owed) for one in ones] == [1] * 30


def test_changes_of_different_fields_at_once_both_survive(store: Store) -> None:
    one = added(store)
    changes = [Update(description="new"), Update(emails=("new@example.com",)), Update(name="New", slug="new")]
    results = at_once([lambda change=change: store.canaries.apply(updated(one, change, NOW)) for change in changes])
    found = store.canaries.get(one.id)

    assert results == [True] * 3
    assert (found.description, found.emails, found.slug) == ("new", ("new@example.com",), "new")


def test_of_two_new_periodicities_at_once_one_wins(store: Store) -> None:
    one = added(store)
    changes = [updated(one, Update(periodicity=Every(seconds)), NOW) for seconds in (60, 90)]
    results = at_once([lambda change=change: store.canaries.apply(change) for change in changes])

    assert sorted(results) == [False, True]
    assert store.canaries.get(one.id) == changes[results.index(True)].after


def test_of_two_pauses_at_once_one_wins(store: Store) -> None:
    one = added(store)
    results = at_once([lambda: store.canaries.apply(paused(one, entry(NOW + SECOND, "Paused"))) for _ in range(2)])

    assert sorted(results) == [False, True]


def test_a_pause_among_triggers_is_never_half_done(store: Store) -> None:
    one = added(store)

    def pause() -> bool:
        return store.canaries.apply(paused(store.canaries.get(one.id), entry(NOW + SECOND, "Paused")))

    at_once([pause, *[lambda: store.canaries.trigger(one.id, entry(NOW + SECOND)) for _ in range(10)]])
    found = store.canaries.get(one.id)

    assert (found.deadline is None) == found.paused


def test_two_expansions_at_once_make_each_delivery_once(store: Store) -> None:
    for _ in range(50):
        added(store)
    store.canaries.mark_late(NOW + HOUR)
    at_once([store.outbox.expand for _ in range(4)])

    assert len(store.outbox.deliveries(limit=1_000)) == 50
    assert all(not canary.owed for canary in store.canaries.select(CanaryFilter()))


def test_of_two_claims_at_once_one_wins(store: Store) -> None:
    added_late(store)
    store.outbox.expand()
    claims = at_once([lambda token=token: claimed(store, token) for token in "abcdef"])

    assert sum(claim is not None for claim in claims) == 1


def test_senders_at_once_deliver_everything_once(store: Store) -> None:
    for number in range(60):
        added(store, emails=(f"{number % 7}@example.com",))
    store.canaries.mark_late(NOW + HOUR)

    def send(name: str) -> list[str]:
        sent: list[str] = []
        for turn in range(60):
            store.outbox.expand()
            claim = claimed(store, f"{name}{turn}", digest_above=5)
            if claim:
                sent += [each.id for each in claim.deliveries if finished(store, claim, [each])]
                store.outbox.release(claim, retry_at=None)
        return sent

    sent = list(chain.from_iterable(at_once([lambda name=name: send(name) for name in "abcd"])))

    assert len(sent) == len(set(sent)) == 60


def test_a_removal_among_triggers_leaves_nothing_behind(store: Store) -> None:
    one = added(store)

    def trigger() -> bool:
        for number in range(20):
            try:
                store.canaries.trigger(one.id, entry(NOW + number * SECOND))
            except NotFound:
                return True
        return False

    results = at_once([lambda: store.canaries.remove(one.id), *[trigger] * 8])

    assert results[0] is None
    assert all(isinstance(result, bool) for result in results[1:])
    assert texts(store, one.id) == []


def test_a_removal_among_markings_loses_no_alert(store: Store) -> None:
    ones = [added(store) for _ in range(10)]
    removals = [lambda one=one: store.canaries.remove(one.id) for one in ones]
    results = at_once([*removals, lambda: store.canaries.mark_late(NOW + HOUR)])
    store.outbox.expand()

    assert len(store.outbox.deliveries(limit=100)) == results[-1]


def test_of_many_pauses_at_once_only_the_one_that_counts_is_in_the_history(store: Store) -> None:
    one = added(store)
    pauses = [paused(one, entry(NOW + SECOND, f"Paused ({number})")) for number in range(20)]
    won = at_once([lambda change=change: store.canaries.apply(change) for change in pauses])

    assert won.count(True) == 1
    assert texts(store, one.id) == [f"Paused ({won.index(True)})", "Canary created"]
