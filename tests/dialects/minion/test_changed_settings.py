"""A server that is started again with other accounts or runners."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from coal_mine.background.runner_repair import BY, RunnerRepair
from coal_mine.domain.job import Job, Runner
from coal_mine.services.account_runners import AccountRunners
from coal_mine.web.dialects.minion.translation import Translation
from tests.dialects.minion.accounts import may_use, written
from tests.dialects.minion.client import KEY, MinionClient
from tests.support.jobs import Scene
from tests.support.server import CoalMine
from tests.support.waiting import until

SERVER = f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n"
RUNNERS = "[runner:one]\ntype = dummy\ntemplate = One\n[runner:two]\ntype = dummy\ntemplate = Two\n"


@contextmanager
def served(directory: Path, allowed: str) -> Iterator[MinionClient]:
    ini = f"{SERVER}[sqlite]\npath = {directory}/cm.sqlite3\n{RUNNERS}[minion:spinup]\nrunners = {allowed}\n"
    with CoalMine(directory / "server", ini=ini) as server:
        yield MinionClient(server)


def repaired(scene: Scene, job: Job, *allowed: str) -> Job:
    """The job when a background has started whose account may use these."""
    repair(scene, may_use(*allowed))
    return scene.jobs.get(job.id).job


def repair(scene: Scene, translation: Translation) -> None:
    runner_repair = repairing(scene, translation)
    while runner_repair.run_once(scene.now):
        pass


def repairing(scene: Scene, translation: Translation) -> RunnerRepair:
    return RunnerRepair(scene.jobs, scene.store.jobs, ["spinup"], translation.repair)


def runner_of(job: Job) -> tuple[str, str]:
    return job.definition.runner.value, job.definition.runner_name


def test_a_job_gets_the_runner_that_its_account_may_use_now(scene: Scene) -> None:
    job = repaired(scene, written(scene, "one", "two"), "one")

    assert (runner_of(job), job.definition.command) == (("dummy", "one"), "")


def test_the_audit_log_says_that_nobody_has_called(scene: Scene) -> None:
    assert repaired(scene, written(scene, "one", "two"), "one").changed_by == BY


def test_an_account_with_many_jobs_is_gone_through_a_part_at_a_time(scene: Scene) -> None:
    job = written(scene, "one", "two")
    scene.store.jobs.remove(job)
    for number in range(101):
        scene.store.jobs.add(replace(job, id=f"{job.id}{number:03}"))
    runner_repair = repairing(scene, may_use("one"))

    again_at = runner_repair.run_once(scene.now)
    left = scene.jobs.get(f"{job.id}100").job
    runner_repair.run_once(scene.now)

    assert (again_at, runner_of(left)) == (scene.now, ("command", ""))
    assert runner_of(scene.jobs.get(left.id).job) == ("dummy", "one")
    assert runner_repair.run_once(scene.now) is None


def test_a_job_loses_the_runner_that_its_account_may_use_no_longer(scene: Scene) -> None:
    assert runner_of(repaired(scene, written(scene, "one", "one"), "two")) == ("command", "")


def test_a_job_follows_when_its_runner_is_of_another_kind_now(scene: Scene) -> None:
    job = written(scene, "one", "one")

    repair(scene, Translation(AccountRunners({"spinup": ["one"]}, {"one": Runner.INSTANCE})))

    assert runner_of(scene.jobs.get(job.id).job) == ("instance", "one")


def test_a_job_whose_account_has_not_changed_stays_as_it_is(scene: Scene) -> None:
    job = written(scene, "one", "one")

    assert repaired(scene, job, "one", "two") == job


def test_a_job_that_was_given_another_command_by_the_native_api_keeps_it(scene: Scene) -> None:
    job = written(scene, "one", "two")
    scene.jobs.patch(job.id, {"command": "echo by hand"})

    assert repaired(scene, job, "one").definition.command == "echo by hand"


def test_a_job_that_minion_never_saw_stays_as_it_is(scene: Scene) -> None:
    body = {"id": "00000000-0000-4000-8000-000000000001", "namespace": "spinup/space", "name": "x", "command": "true"}
    job = scene.jobs.create(body).job

    assert repaired(scene, job, "one") == job


def test_a_started_server_puts_jobs_right_and_shows_them_as_before(tmp_path: Path) -> None:
    with served(tmp_path, "one") as minion:
        job = minion.created(details={"runner": "two"})
        assert runner_in(minion, job) == ("command", "")

    with served(tmp_path, "two") as minion:
        until("the job to follow", lambda: runner_in(minion, job) == ("dummy", "two"))

        again = minion.call("GET", f"/jobs/{job['group']}/{job['id']}").json()

    assert again | {"modified_at": ""} == job | {"modified_at": ""}


def runner_in(minion: MinionClient, job: Any) -> Any:
    found = minion.native_job(job)
    return found["runner"], found["runner_name"]
