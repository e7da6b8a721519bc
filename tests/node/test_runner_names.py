"""Which nodes take the runs of jobs that need one of the nodes' own runners."""

from __future__ import annotations

from pathlib import Path

from coal_mine.config import DummyRunner
from coal_mine.domain.run import Run, RunState
from tests.support.agents import House
from tests.support.jobs import Scene

JOB = {"runner": "dummy", "runner_name": "hello", "namespace": "account"}


def looked_at(scene: Scene, tmp_path: Path, run: Run, names: tuple[str, ...]) -> RunState:
    """What becomes of the run on a node that has these."""
    runners = {name: DummyRunner(template="Hello, {{.Account}}!") for name in names}
    with House(scene, tmp_path / "nodes", runners=runners) as house:
        house.beat()
        house.claim()
        return scene.get(run).state


def test_a_node_without_the_runner_leaves_the_run_to_others(scene: Scene, tmp_path: Path) -> None:
    assert looked_at(scene, tmp_path, scene.next_run(scene.job(**JOB)), ("power",)) is RunState.QUEUED


def test_a_node_that_has_the_runner_takes_the_run(scene: Scene, tmp_path: Path) -> None:
    assert looked_at(scene, tmp_path, scene.next_run(scene.job(**JOB)), ("power", "hello")) is RunState.DONE
