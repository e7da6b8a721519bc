"""The dialect without a server, for what a client cannot see or could only see at length."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from coal_mine.domain.job import Job, Runner
from coal_mine.services.account_runners import AccountRunners
from coal_mine.services.job_list import JobList
from coal_mine.services.runs import Runs
from coal_mine.web.dialects.minion.translation import Translation
from coal_mine.web.dialects.minion.verbs import Verbs
from tests.support.jobs import Scene

KINDS = {"one": Runner.DUMMY, "two": Runner.DUMMY}


def may_use(*runners: str) -> Translation:
    """For an account `spinup` that may use these."""
    return Translation(AccountRunners({"spinup": runners}, KINDS))


def verbs_of(scene: Scene, translation: Translation, now: Callable[[], datetime] | None = None) -> Verbs:
    runs = Runs(scene.store, scene.clock, scene.ids)
    return Verbs(scene.jobs, JobList(scene.store), runs, translation, now=now or scene.clock.now, new_id=lambda: str(uuid.uuid4()))


def written(scene: Scene, runner: str, *allowed: str) -> Job:
    """A job that names the runner, of an account that may use those."""
    made = verbs_of(scene, may_use(*allowed)).create("spinup", "space", body={"name": "x", "details": {"runner": runner}}, by="")
    return scene.jobs.get(f"spinup:space:{made['id']}").job
