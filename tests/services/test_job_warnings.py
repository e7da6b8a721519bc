"""What a job's owner is told when no node has what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.jobs import Scene, scene_in


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as one:
        yield one


def _warnings(scene: Scene, **body: object) -> list[str]:
    return scene.jobs.create({"name": "Backup", "command": "true", **body}).warnings


@pytest.mark.parametrize(
    ("body", "needs"),
    [({"cpus": 2.5}, "2.5 processors"), ({"mem": 4096}, "4096 MB"), ({"cpus": 2, "mem": 2048.5}, "2 processors and 2048.5 MB")],
)
def test_a_job_that_needs_more_than_any_node_has_is_created_with_a_warning(scene: Scene, body: dict[str, float], needs: str) -> None:
    scene.node("alpha", cpus=2, mem=2048)

    assert _warnings(scene, **body) == [f"no registered node that may run it has {needs} for a run: each will be missed"]


def test_a_job_that_fits_on_one_node_has_no_warning(scene: Scene) -> None:
    scene.node("alpha", cpus=2, mem=2048)
    scene.node("beta", cpus=4, mem=2048)

    assert _warnings(scene, cpus=3, mem=2048) == []


def test_a_node_that_may_not_run_it_does_not_count(scene: Scene) -> None:
    scene.node("alpha", cpus=2)
    scene.node("beta", users=("postgres",))

    assert _warnings(scene, cpus=3, user="backup") != []


INSTANCE = {"runner": "instance", "runner_name": "power"}


def test_a_job_whose_runner_no_node_has_is_created_with_a_warning(scene: Scene) -> None:
    scene.node("alpha", runners=("hello",))

    assert _warnings(scene, **INSTANCE) == ["no registered node of its pools has the runner power: each run will fail"]


def test_a_job_whose_runner_one_node_has_is_created_without_a_warning(scene: Scene) -> None:
    scene.node("alpha")
    scene.node("beta", runners=("hello", "power"))

    assert _warnings(scene, **INSTANCE) == []


def test_a_node_that_lacks_the_runner_does_not_count(scene: Scene) -> None:
    scene.node("alpha", users=("postgres",))
    scene.node("beta", users=("www",), runners=("power",))

    assert _warnings(scene, user="postgres", **INSTANCE) == ["no registered node of its pools may run as postgres: each run will fail"]


def test_a_node_that_counts_nothing_has_room_for_everything(scene: Scene) -> None:
    scene.node("alpha")

    assert _warnings(scene, cpus=1_000, mem=1_000_000) == []
