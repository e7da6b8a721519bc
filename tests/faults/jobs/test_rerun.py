"""A run that is to be run again when its node is lost. Whatever holds the node up, the run is never under way at two places at once."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

import pytest

from coal_mine.clock import monotonic
from tests.faults.jobs.conftest import Nodes
from tests.faults.jobs.facts import Watched
from tests.faults.jobs.plant import Plant, working
from tests.faults.processes import children, process_of
from tests.faults.scene import is_long
from tests.support.nodes import NodeProcess
from tests.support.waiting import until

# Longer than a lease lasts, so that it is over only when somebody ends it.
LONG = working(60, 0.05)
LEASE_SECONDS = 100.0
# So long before the end of its lease a run is told to end.
FENCE_MARGIN = 5.0
# In the short form nobody waits for a lease: its end is written down as if its time had come.
LEASES = [pytest.param(True, id="lease ends by hand"), *([pytest.param(False, id="lease ends by time")] if is_long() else [])]


@pytest.mark.parametrize("by_hand", LEASES)
def test_a_run_is_ended_on_a_node_that_is_cut_off_before_another_one_begins_it_anew(plant: Plant, nodes: Nodes, by_hand: bool) -> None:
    one, _ = nodes
    (run,) = claimed_and_not_forked(plant, one, plant.job("again", LONG, on_lost="rerun"))
    plant.ask("/nodes/two/undrain", "POST")
    if by_hand:
        _write_lease(one, monotonic() + FENCE_MARGIN + 1.0)
    lease = float((one.spool / "lease").read_text())
    wake_forker(one)
    until("the start", lambda: starts(plant, run))
    result = until("the end by its own supervisor", lambda: one.directories()[0].result(), seconds=LEASE_SECONDS)
    if by_hand:
        _be_silent(plant, one)
    until("the start elsewhere", lambda: len(starts(plant, run)) == 2, seconds=LEASE_SECONDS)
    one.thaw()
    until("an empty spool", lambda: not one.directories())
    plant.ask(f"/runs/{run}/kill", "POST")
    plant.wait_for_end([run])

    assert result.ending == "fenced"
    assert result.ended_mono < lease
    assert plant.judge().faults == []
    assert plant.record(run).state == "killed"


def claimed_and_not_forked(plant: Plant, node: NodeProcess, job: Watched) -> list[str]:
    """The forker has not heard of the run when it and the agent fall asleep."""
    agent = process_of(node.pid)
    assert agent is not None
    forkers = until("a forker", lambda: children(agent))
    for forker in forkers:
        forker.send(signal.SIGSTOP)
    runs = plant.run(job)
    until("a directory", lambda: [run for run in node.directories() if (run.path / "spec.json").exists()])
    node.freeze()
    return runs


def _write_lease(node: NodeProcess, end: float) -> None:
    """Where its supervisors read it."""
    (node.spool / "lease.new").write_text(repr(end))
    (node.spool / "lease.new").rename(node.spool / "lease")


def _be_silent(plant: Plant, node: NodeProcess) -> None:
    """For longer than a lease, as the store has it."""
    plant.database["nodes"].update_one({"_id": node.name}, {"$set": {"seen_at": datetime.now(UTC) - timedelta(minutes=1)}})


def starts(plant: Plant, run: str) -> list[int]:
    return [note.epoch for note in plant.notes() if note.word == "start" and note.run == run]


def wake_forker(node: NodeProcess) -> None:
    agent = process_of(node.pid)
    assert agent is not None
    for forker in children(agent):
        forker.send(signal.SIGCONT)
