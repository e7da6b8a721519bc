"""What the services hear from the dialect."""

from __future__ import annotations

from datetime import datetime

from coal_mine.domain.audit import AuditFilter
from coal_mine.domain.job import Runner
from coal_mine.web.dialects.minion.verbs import jobs_in
from tests.dialects.minion.accounts import may_use, verbs_of, written
from tests.support.jobs import SECOND, Scene


def callers(scene: Scene) -> list[str]:
    """Whom the audit log names, the first first."""
    return [entry.by for entry in reversed(scene.store.audit.select(AuditFilter(), limit=10))]


def test_jobs_are_listed_over_several_pages(scene: Scene) -> None:
    ids = sorted(written(scene, "one", "one").id for _ in range(5))

    assert [job.id for job in jobs_in(scene.jobs, "spinup", page_size=2)] == ids


def test_who_changed_a_job_is_whom_it_names_else_who_calls(scene: Scene) -> None:
    verbs = verbs_of(scene, may_use("one"))
    job = verbs.create("spinup", "space", {"modified_by": "jo"}, "10.0.0.1")
    scene.clock.move(SECOND)
    verbs.replace("spinup", "space", job["id"], {"name": "x"}, "10.0.0.2")
    scene.clock.move(SECOND)
    verbs.delete("spinup", "space", job["id"], "10.0.0.3")

    assert callers(scene) == ["jo", "10.0.0.2", "10.0.0.3"]


def test_a_job_that_is_written_again_as_it_was_says_a_later_time(scene: Scene) -> None:
    verbs = verbs_of(scene, may_use("one"))
    before = verbs.create("spinup", "space", {"name": "x"}, "")
    scene.clock.move(SECOND)
    after = verbs.replace("spinup", "space", before["id"], {"name": "x"}, "")

    assert after["modified_at"] > before["modified_at"]


def test_an_update_says_what_it_says_also_when_somebody_changes_the_job_meanwhile(scene: Scene) -> None:
    job = verbs_of(scene, may_use("one")).create("spinup", "space", {"schedule_expression": "@daily"}, "")
    others = iter([{"schedules": [{"cron": "@weekly"}]}])

    def now() -> datetime:
        """Asked for after the job was read."""
        for change in others:
            scene.jobs.patch(f"spinup:space:{job['id']}", change)
        return scene.now

    after = verbs_of(scene, may_use("one"), now=now).replace("spinup", "space", job["id"], {"schedule_expression": "@daily"}, "")

    assert after["schedule_expression"] == "@daily"


def test_a_job_is_run_by_the_runner_that_its_account_may_use_since_it_was_written(scene: Scene) -> None:
    job = written(scene, "one", "two")

    verbs_of(scene, may_use("one")).run("spinup", "space", job.id.rpartition(":")[2], "")

    (run,) = scene.runs_of(job)
    assert (run.definition.runner, run.definition.runner_name) == (Runner.DUMMY, "one")
