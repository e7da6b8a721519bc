"""What the services hear from the dialect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from coal_mine.domain.audit import AuditFilter
from coal_mine.domain.job import Runner
from coal_mine.services.account_runners import AccountRunners
from coal_mine.web.dialects.minion.translation import Translation
from tests.dialects.minion.accounts import KINDS, may_use, verbs_of, written
from tests.support.jobs import SECOND, Scene


def callers(scene: Scene) -> list[str]:
    """Whom the audit log names, the first first."""
    return [entry.by for entry in reversed(scene.store.audit.select(AuditFilter(), limit=10))]


def test_the_audit_log_has_who_calls_and_not_whom_a_body_names(scene: Scene) -> None:
    verbs = verbs_of(scene, may_use("one"))
    job = verbs.create("spinup", "space", body={"modified_by": "jo"}, by="10.0.0.1")
    scene.clock.move(SECOND)
    verbs.replace("spinup", "space", job["id"], body={"modified_by": "jo"}, by="10.0.0.2")
    scene.clock.move(SECOND)
    verbs.delete("spinup", "space", job["id"], by="10.0.0.3")

    assert callers(scene) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_a_job_that_is_written_again_as_it_was_says_a_later_time(scene: Scene) -> None:
    verbs = verbs_of(scene, may_use("one"))
    before = verbs.create("spinup", "space", body={"name": "x"}, by="")
    scene.clock.move(SECOND)
    after = verbs.replace("spinup", "space", before["id"], body={"name": "x"}, by="")

    assert after["modified_at"] > before["modified_at"]


def test_an_update_says_what_it_says_also_when_somebody_changes_the_job_meanwhile(scene: Scene) -> None:
    job = verbs_of(scene, may_use("one")).create("spinup", "space", body={"schedule_expression": "@daily"}, by="")
    others = iter([{"schedules": [{"cron": "@weekly"}]}])

    def now() -> datetime:
        """Asked for after the job was read."""
        for change in others:
            scene.jobs.patch(f"spinup:space:{job['id']}", change)
        return scene.now

    after = verbs_of(scene, may_use("one"), now=now).replace("spinup", "space", job["id"], body={"schedule_expression": "@daily"}, by="")

    assert after["schedule_expression"] == "@daily"


def test_a_job_is_run_by_the_runner_that_its_account_may_use_since_it_was_written(scene: Scene) -> None:
    job = written(scene, "one", "two")

    verbs_of(scene, may_use("one")).run("spinup", "space", job.id.rpartition(":")[2], by="")

    (run,) = scene.runs_of(job)
    assert (run.definition.runner, run.definition.runner_name) == (Runner.DUMMY, "one")


class Noticed(dict[str, Runner]):
    """The runners of a configuration; something happens when one is looked up for the first time."""

    def __init__(self, event: Callable[[], object]) -> None:
        super().__init__(KINDS)
        self._events = iter([event])

    def __getitem__(self, name: str) -> Runner:
        for event in self._events:
            event()
        return super().__getitem__(name)


def test_a_run_does_not_undo_what_another_client_changes_meanwhile(scene: Scene) -> None:
    job = written(scene, "one", "two")
    own_id, update = job.id.rpartition(":")[2], {"name": "x", "details": {"runner": "one", "colour": "blue"}}

    def change() -> None:
        verbs_of(scene, may_use("one")).replace("spinup", "space", own_id, body=update, by="")

    verbs_of(scene, Translation(AccountRunners({"spinup": ["one"]}, Noticed(change)))).run("spinup", "space", own_id, by="")

    assert dict(scene.jobs.get(job.id).job.definition.details) == {"colour": "blue"}
