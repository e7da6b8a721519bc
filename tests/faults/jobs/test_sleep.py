"""A machine sleeps for longer than its node's lease, before a start or in the middle of a run. Takes as long as leases last.

Its processes are stopped, so its monotonic clock goes on. Where that sleeps, too, is in tests/node/test_fence.py.
"""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

from coal_mine.node.processes.identity import send, stat_of
from coal_mine.node.processes.tree import descendants
from tests.faults.jobs.conftest import Nodes
from tests.faults.jobs.plant import Plant
from tests.faults.jobs.test_rerun import LEASE_SECONDS, LONG, claimed_and_not_forked, starts, wake_forker
from tests.support.nodes import NodeProcess
from tests.support.waiting import until


def test_a_claim_that_a_node_has_slept_over_is_not_started_when_it_wakes_up(plant: Plant, nodes: Nodes) -> None:
    one, _ = nodes
    (run,) = claimed_and_not_forked(plant, one, plant.job("slept", LONG, on_lost="rerun"))
    plant.ask("/nodes/two/undrain", "POST")
    until("the start elsewhere", lambda: starts(plant, run), seconds=LEASE_SECONDS)
    _wake_agent(one)
    wake_forker(one)
    until("an empty spool", lambda: not one.directories())
    plant.ask(f"/runs/{run}/kill", "POST")
    plant.wait_for_end([run])

    assert len(starts(plant, run)) == 1
    assert plant.judge().faults == []


def test_a_run_over_which_its_machine_has_slept_is_ended_when_it_wakes_up(plant: Plant, nodes: Nodes) -> None:
    """A moment beside the other one cannot be helped: it begins when the machine wakes up, and ends when that has seen what time it is."""
    one, _ = nodes
    (run,) = plant.run(plant.job("slept", LONG, on_lost="rerun"))
    until("the start", lambda: starts(plant, run))
    one.freeze()
    _send_all(one, signal.SIGSTOP)
    plant.ask("/nodes/two/undrain", "POST")
    until("the start elsewhere", lambda: len(starts(plant, run)) == 2, seconds=LEASE_SECONDS)
    _wake_agent(one)
    _send_all(one, signal.SIGCONT)
    until("an empty spool", lambda: not one.directories())
    plant.ask(f"/runs/{run}/kill", "POST")
    plant.wait_for_end([run])

    assert plant.record(run).state == "killed"
    assert plant.notes()[-1].epoch == plant.record(run).epoch


def test_a_run_that_others_have_taken_over_is_ended_although_its_node_has_not_slept_for_a_lease(plant: Plant, nodes: Nodes) -> None:
    """So it is, too, when the clock by which its lease ends has slept with the machine."""
    one, _ = nodes
    (run,) = plant.run(plant.job("slept", LONG, on_lost="rerun"))
    until("the start", lambda: starts(plant, run))
    with one.frozen():
        plant.ask("/nodes/two/undrain", "POST")
        plant.database["nodes"].update_one({"_id": one.name}, {"$set": {"seen_at": datetime.now(UTC) - timedelta(minutes=1)}})
        until("the start elsewhere", lambda: len(starts(plant, run)) == 2)
    until("an empty spool", lambda: not one.directories(), seconds=LEASE_SECONDS)
    plant.ask(f"/runs/{run}/kill", "POST")
    plant.wait_for_end([run])

    assert plant.record(run).state == "killed"
    assert [note.epoch for note in plant.notes() if note.word == "end"] == []


def _wake_agent(node: NodeProcess) -> None:
    """It says to everybody that all is well, before its supervisors can look at the time."""
    before = (node.spool / "lease").read_text()
    node.thaw()
    until("a beat", lambda: (node.spool / "lease").read_text() != before)


def _send_all(node: NodeProcess, number: int) -> None:
    """To the supervisors of its runs, and to what these have started."""
    supervisors = [identity for run in node.directories() if (identity := run.supervisor())]
    for identity in supervisors:
        for process in (stat_of(identity.pid), *descendants(identity.pid)):
            assert process is not None
            send(process, number)
