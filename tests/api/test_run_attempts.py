"""What is shown of a run's earlier attempts."""

from __future__ import annotations

from pathlib import Path

from coal_mine.domain.run import Run, gone
from coal_mine.web.runs import run_json
from tests.support.jobs import Scene, scene_in


def lost_ones(run: Run) -> list[bool]:
    return [attempt["lost"] for attempt in run_json(run)["attempts"]]


def test_an_attempt_that_was_lost_with_its_node_is_told_from_one_that_failed(tmp_path: Path) -> None:
    with scene_in(tmp_path) as scene:
        run = failed_once(scene)

        assert lost_ones(gone(scene.start(run), "its node was restarted", scene.now).after) == [False, True]


def failed_once(scene: Scene) -> Run:
    return scene.end(scene.next_run(scene.job(retries=1, on_lost="rerun")), exit_code=1)
