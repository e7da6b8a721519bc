"""Jobs are changed, disabled and deleted while their runs wait and run; two machines say that they are one node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.faults.jobs.facts import Watched
from tests.faults.jobs.plant import Plant, working
from tests.faults.jobs.test_outages import soon, wait_for
from tests.support.waiting import until

MOMENT = timedelta(milliseconds=1)
# Three calls fit in between, also on a busy machine.
BETWEEN = timedelta(seconds=6)


def test_ticks_before_and_after_a_change_have_one_outcome_each(plant: Plant) -> None:
    plant.background()
    plant.node("one")
    plant.wait_for_node("one")
    first = soon(2)
    ticks = [first, first + BETWEEN]
    schedules = [{"every": BETWEEN.seconds, "from": first.isoformat()}]
    changed = plant.job("changed", working(0.3), ticks=ticks, schedules=schedules)
    disabled = plant.job("disabled", working(0.3), ticks=ticks[:1], schedules=schedules)
    deleted = plant.job("deleted", working(0.3), ticks=ticks[:1], schedules=schedules)
    wait_for(ticks[0] + timedelta(milliseconds=150))
    plant.ask(f"/jobs/{changed.id}", "PATCH", {"description": "another", "command": working(0.2)})
    plant.ask(f"/jobs/{disabled.id}/disable", "POST")
    plant.ask(f"/jobs/{deleted.id}", "DELETE")
    until("an outcome of each", lambda: all(set(job.ticks) <= set(ended_ticks(plant, job)) for job in plant.jobs))
    until("the end of all", lambda: not [record for record in plant.records(until=(ticks[-1] + MOMENT).isoformat()) if not record.ended_at])
    verdict = plant.judge(before=ticks[-1] + MOMENT)
    ended = {job.id: ended_ticks(plant, job) for job in (disabled, deleted)}

    assert verdict.faults == []
    assert verdict.counts["done"] == verdict.counts["runs"]
    assert ended == {job.id: list(job.ticks) for job in (disabled, deleted)}


def ended_ticks(plant: Plant, job: Watched) -> list[datetime]:
    return sorted(record.tick for record in plant.records(job=job.id) if record.ended_at)


def test_of_two_machines_with_one_name_the_second_starts_nothing_until_the_first_is_gone(plant: Plant) -> None:
    """And then it does not know what the first one has begun, as after the loss of a disk."""
    plant.background()
    first = plant.node("one")
    plant.wait_for_node("one")
    second = plant.node("one", place="other")
    until("a refusal", lambda: "starts nothing" in second.log)
    job = plant.job("long", working(60))
    (run,) = plant.run(job)
    until("the start", lambda: plant.notes())
    begun_by_second = second.directories()
    first.kill()
    plant.database["nodes"].update_one({"_id": "one"}, {"$set": {"seen_at": datetime.now(UTC) - timedelta(minutes=1)}})
    plant.wait_for_end([run])
    verdict = plant.judge()
    first.__exit__(None, None, None)
    (after,) = plant.run(plant.job("after", working(0.1)))
    plant.wait_for_end([after])

    assert begun_by_second == []
    assert plant.record(run).state == "lost"
    assert verdict.faults == []
    assert plant.record(after).state == "done"
