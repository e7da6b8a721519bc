"""As whom a node runs a command, and what the command learns of its run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coal_mine.domain.errors import Conflict
from coal_mine.domain.run import Run, RunState
from coal_mine.node.agent.agent import own_user
from coal_mine.node.agent.roster import Tracked
from coal_mine.node.agent.runners import Runners
from coal_mine.node.agent.starter import Starter
from coal_mine.services.run_requests import RunRequest
from tests.node.workshop import Workshop
from tests.support.agents import House, output_of
from tests.support.jobs import Scene, scene_in


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as one:
        yield one


def ended_on(scene: Scene, tmp_path: Path, announced: dict[str, Any], **body: Any) -> Run:
    """A run of a job, on a node that announces itself like this."""
    run = scene.next_run(scene.job(**body))
    with House(scene, tmp_path / "nodes", **announced) as house:
        house.claim()
        return house.ended(run)


def test_a_job_that_names_nobody_runs_as_the_first_whom_the_node_lists(scene: Scene, tmp_path: Path) -> None:
    run = ended_on(scene, tmp_path, {"users": (own_user(), "nobody")}, command="id -un")

    assert output_of(scene.store, run).decode().strip() == own_user()


def test_a_user_whom_the_machine_does_not_have_is_a_failure(scene: Scene, tmp_path: Path) -> None:
    run = ended_on(scene, tmp_path, {"users": ("no-such-user",)}, command="true")

    assert (run.state, run.reason) == (RunState.FAILED, "there is no user no-such-user on node alpha")


@pytest.mark.parametrize(("user", "may"), [("backup", True), ("", True), ("root", False)])
def test_everybody_is_not_root(scene: Scene, user: str, may: bool) -> None:
    assert scene.node("alpha", users=("*",)).may_run_as(user) is may


@pytest.mark.parametrize(("users", "may"), [(("*",), False), (("*", "root"), True), (("toor",), True)])
def test_root_by_another_name_is_root(scene: Scene, workshop: Workshop, users: tuple[str, ...], may: bool) -> None:
    starter = Starter(workshop.spool, workshop.forker, Runners({}, {}, []), "nobody", uid_of=lambda user: 0 if user == "toor" else 1000)
    run = scene.claim(scene.planned(command="true", user="toor"))
    tracked: list[Tracked] = []
    refused = starter.start([run], scene.node("alpha", users=users), scene.now, tracked.append)

    assert bool(tracked) is may
    assert [each.result.error for each in refused] == ([] if may else ["node alpha may not run jobs as toor: that is root by another name"])


def test_a_command_learns_which_run_it_is(scene: Scene, tmp_path: Path) -> None:
    run = ended_on(scene, tmp_path, {}, command="echo $JOB_ID $JOB_NAME $JOB_RUN_ID $JOB_ATTEMPT $JOB_EPOCH $JOB_SCHEDULED_AT $JOB_NODE")

    assert output_of(scene.store, run).decode() == f"{run.job_id} Backup {run.id} 1 1 2026-11-22T12:01:00.000Z alpha\n"


PARAMETERS = {"parameters": [{"name": "A", "default": "default"}, {"name": "B"}], "env": {"A": "env", "B": "env", "C": "env"}}


def test_a_parameter_goes_before_the_environment_and_its_value_before_its_default(scene: Scene, tmp_path: Path) -> None:
    job = scene.job(command="echo $A $B $C", **PARAMETERS)
    (run,) = scene.runs.start(job.id, RunRequest(parameters={"B": "given"}))
    with House(scene, tmp_path / "nodes") as house:
        house.claim()
        house.ended(run)

    assert output_of(scene.store, run) == b"default given env\n"


def test_a_run_of_a_schedule_has_the_parameters_defaults(scene: Scene, tmp_path: Path) -> None:
    run = ended_on(scene, tmp_path, {}, command="echo $A $B $C", **PARAMETERS)

    assert output_of(scene.store, run) == b"default env env\n"


def test_a_list_of_arguments_is_no_shell_command(scene: Scene, tmp_path: Path) -> None:
    run = ended_on(scene, tmp_path, {}, command=["echo", "$HOME; exit 1"])

    assert output_of(scene.store, run) == b"$HOME; exit 1\n"


def test_a_script_gets_the_command_as_its_arguments(scene: Scene, tmp_path: Path) -> None:
    run = ended_on(scene, tmp_path, {}, script='#!/bin/sh\necho "$1-$2"\n', command=["one", "two"])

    assert output_of(scene.store, run) == b"one-two\n"


def test_a_node_that_ends_with_nothing_to_do_is_at_once_not_alive(scene: Scene, tmp_path: Path) -> None:
    with House(scene, tmp_path / "nodes"):
        was_alive = scene.store.nodes.get("alpha").is_alive(scene.now)

    assert (was_alive, scene.store.nodes.get("alpha").is_alive(scene.now)) == (True, False)


def test_a_second_node_on_the_spool_of_another_is_refused(scene: Scene, tmp_path: Path) -> None:
    with House(scene, tmp_path / "nodes"), pytest.raises(Conflict, match="belongs to another node that is running"):
        House(scene, tmp_path / "nodes")
