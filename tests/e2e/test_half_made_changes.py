"""A server that is started on what another one left behind in the middle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.support.jobs import Scene, scene_in
from tests.support.server import CoalMine
from tests.support.waiting import until

NEW = ("new@example.com",)


def left_behind(scene: Scene) -> str:
    """A job whose change is stored, and has not reached its canary, of which this is the id."""
    job = scene.job(schedules=[])
    changed = replace(job.definition, emails=NEW)
    assert scene.store.jobs.replace(job, replace(job, definition=changed, version=job.version + 1, changed_at=scene.now))
    return job.canary_id


def test_a_change_of_a_job_that_was_half_made_is_brought_to_its_end(tmp_path: Path) -> None:
    with scene_in(tmp_path) as scene:
        canary = left_behind(scene)
    with CoalMine(tmp_path / "server", ini=f"[sqlite]\npath = {tmp_path}/cm.sqlite3\n[wsgi]\nhost = 127.0.0.1\n") as server:
        until("the new receivers", lambda: server.call("get", id=canary)["canary"]["emails"] == list(NEW))
