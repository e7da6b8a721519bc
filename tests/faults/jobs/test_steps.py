"""A node's agent is killed, or stopped, at each step of a run. What it had begun goes on, nothing runs twice, and nothing is forgotten."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import pytest

from coal_mine.clock import monotonic
from tests.faults.jobs.facts import Watched
from tests.faults.jobs.plant import Plant, working
from tests.faults.processes import Process, children, process_of
from tests.faults.scene import is_long, new_seed, seconds
from tests.support.nodes import NodeProcess
from tests.support.waiting import until

CROWD = 6
# A step that lasts a millisecond is not met each time. Then the crowd is let go, and another one comes.
TRIES = 40
EVERYDAY = 2


@dataclass(slots=True)
class Stage:
    """One crowd of runs on one node."""

    plant: Plant
    node: NodeProcess
    job: Watched
    runs: Sequence[str] = ()

    def call_crowd(self) -> None:
        """All of them are due at once when the node wakes up."""
        with self.node.frozen():
            self.runs = self.plant.run(self.job, CROWD)

    def watch(self, what: str, look: Callable[[], object]) -> None:
        """Without a pause, since what is looked for lasts a moment."""
        end = monotonic() + 30
        while not look():
            assert monotonic() < end, f"waited in vain for {what}: {self.plant.states(self.runs)}"

    def made(self) -> int:
        """How many runs have directories."""
        return sum((run.path / "spec.json").exists() and run.spec.run_id in self.runs for run in self.node.directories())

    def count(self, *states: str) -> int:
        return sum(state in states for state in self.plant.states(self.runs).values())

    def owing(self) -> int:
        """How many have ended without their canary knowing."""
        return self.plant.database["runs"].count_documents({"_id": {"$in": self.runs}, "outcome": "done", "owed_since": {"$exists": True}})


def before_the_claim(stage: Stage) -> bool:
    stage.node.freeze()
    stage.runs = stage.plant.run(stage.job, CROWD)
    return stage.count("queued") == CROWD


def between_claim_and_spool(stage: Stage) -> bool:
    stage.call_crowd()
    stage.watch("a first directory", lambda: stage.node.directories() or stage.count("claimed"))
    stage.node.freeze()
    return stage.count("claimed") > stage.made()


def between_spool_and_fork(stage: Stage) -> bool:
    """The forker does not hear its orders, and dies with the agent."""
    forkers = children(_agent(stage))
    for forker in forkers:
        forker.send(signal.SIGSTOP)
    stage.call_crowd()
    stage.watch("all directories", lambda: stage.made() == CROWD)
    stage.node.freeze()
    return bool(forkers) and not any(run.supervisor() for run in stage.node.directories())


def after_the_start(stage: Stage) -> bool:
    stage.call_crowd()
    stage.watch("a first start", lambda: stage.count("running"))
    stage.node.freeze()
    return stage.count("running", "claimed") > 0


def during_output(stage: Stage) -> bool:
    stage.call_crowd()
    stage.watch("output in the store", lambda: stage.plant.ask(f"/runs/{stage.runs[0]}/output"))
    stage.node.freeze()
    return stage.count("running") > 0


def before_the_end_is_stored(stage: Stage) -> bool:
    stage.call_crowd()
    stage.watch("all starts", lambda: stage.count("running") == CROWD)
    stage.node.freeze()
    until("the ends in the spool", lambda: all(run.result() for run in stage.node.directories()))
    return stage.count("running") > 0


def before_the_canary_is_told(stage: Stage) -> bool:
    stage.call_crowd()
    stage.watch("an end that is not told", lambda: stage.owing() or stage.count("done") == CROWD)
    stage.node.freeze()
    return stage.owing() > 0


def kill(stage: Stage, chance: random.Random) -> None:
    forkers = children(_agent(stage))
    stage.node.kill()
    for forker in forkers:
        forker.kill()
    stage.node.start()


def restart(stage: Stage, chance: random.Random) -> None:
    """SIGTERM, as for an upgrade."""
    _wake(stage)
    assert stage.node.stop() == 0
    stage.node.start()


def stop(stage: Stage, chance: random.Random) -> None:
    threading.Event().wait(chance.uniform(0.1, 1.0))
    _wake(stage)


def stop_past_the_lease(stage: Stage, chance: random.Random) -> None:
    stage.plant.end_lease(stage.node.name, stage.runs, by_hand=not is_long())
    _wake(stage)


def kill_past_the_lease(stage: Stage, chance: random.Random) -> None:
    stage.plant.end_lease(stage.node.name, stage.runs, by_hand=not is_long())
    kill(stage, chance)


STEPS = [
    before_the_claim,
    between_claim_and_spool,
    between_spool_and_fork,
    after_the_start,
    during_output,
    before_the_end_is_stored,
    before_the_canary_is_told,
]
MISHAPS = [kill, restart, stop, stop_past_the_lease, kill_past_the_lease]


def test_each_run_has_one_outcome_and_one_start_whatever_befalls_the_agent_at_whatever_step(plant: Plant) -> None:
    plant.background()
    node = plant.node("one")
    stage = Stage(plant, node, plant.job("crowd", working(0.5), alone=False))
    plant.wait_for_node("one")
    plant.wait_for_end(plant.run(stage.job))
    seed = new_seed()
    chance = random.Random(seed)
    print(f"\nseed {seed}")  # noqa: T201 - for whoever wants to repeat it
    end = monotonic() + seconds()
    while True:
        acts = list(product(STEPS, MISHAPS))
        for step, mishap in chance.sample(acts, len(acts) if is_long() else EVERYDAY):
            print(f"{step.__name__}, {mishap.__name__}: {_play(stage, step, mishap, chance)}")  # noqa: T201 - what was done
        if monotonic() > end:
            break


def _play(stage: Stage, step: Callable[[Stage], bool], mishap: Callable[[Stage, random.Random], None], chance: random.Random) -> str:
    begin = monotonic()
    tries = _reach(stage, step)
    mishap(stage, chance)
    stage.plant.wait_for_end(stage.runs)
    until("an empty spool", lambda: not stage.node.directories())
    until("canaries that know", lambda: not stage.owing())
    verdict = stage.plant.judge()

    assert verdict.faults == []
    assert set(stage.plant.states(stage.runs).values()) == {"done"}
    return f"{verdict}; {tries} tries, {monotonic() - begin:.1f} s"


def _reach(stage: Stage, step: Callable[[Stage], bool]) -> int:
    """After how many tries the agent stands at that step."""
    for tries in range(1, TRIES + 1):
        if step(stage):
            return tries
        _wake(stage)
        stage.plant.wait_for_end(stage.runs)
        until("an empty spool", lambda: not stage.node.directories())
    pytest.fail(f"{step.__name__} was not met in {TRIES} tries")


def _wake(stage: Stage) -> None:
    for forker in children(_agent(stage)):
        forker.send(signal.SIGCONT)
    os.kill(stage.node.pid, signal.SIGCONT)


def _agent(stage: Stage) -> Process:
    found = process_of(stage.node.pid)
    assert found is not None
    return found
