"""The file with the whole configuration: when it is written, and what becomes of it when something goes wrong."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from coal_mine.background.backup_file import BackupFile, Form, as_json, as_yaml
from coal_mine.background.config_backup import CHECKED_EVERY, EVERY, STORED_WITHIN, ConfigBackup
from coal_mine.domain.job import Job
from tests.support.jobs import HOUR, Scene


def shown(job: Job) -> Mapping[str, Any] | None:
    """As a dialect might show it: jobs with a namespace do not belong to it."""
    return None if ":" in job.id else {"name": job.name, "command": job.definition.command}


class Keeper:
    """A backup of the scene's store, and the file that it writes."""

    def __init__(self, scene: Scene, directory: Path, form: Form = as_json) -> None:
        self.path = directory / "backup" / "moneta.json"
        self.path.parent.mkdir(exist_ok=True)
        self.options: dict[str, Any] = {}
        self._scene = scene
        self._form = form
        self._step = self.new_step()

    def new_step(self) -> ConfigBackup:
        return ConfigBackup(self._scene.store, BackupFile(self.path), self._form, task=shown, options=lambda: dict(self.options))

    def restart(self) -> None:
        self._step = self.new_step()

    def look(self, after: timedelta = EVERY) -> None:
        self._step.run_once(self._scene.clock.move(after))

    def content(self) -> Any:
        return json.loads(self.path.read_bytes())

    def written(self) -> int:
        """Another number whenever the file was replaced: the new file exists before the old one goes."""
        return self.path.stat().st_ino

    def break_directory(self) -> None:
        """Nobody, root included, can make a file where no directory is."""
        self.path.parent.rename(self.path.parent.with_name("away"))

    def mend_directory(self) -> None:
        self.path.parent.with_name("away").rename(self.path.parent)


@pytest.fixture
def keeper(scene: Scene, tmp_path: Path) -> Keeper:
    return Keeper(scene, tmp_path)


def test_the_file_has_all_tasks_and_the_options_that_are_set(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one", name="One")
    scene.job(id="two", name="Two")
    keeper.options = {"tick": 30}
    keeper.look()

    assert keeper.content() == {
        "tasks": {"one": {"name": "One", "command": "true"}, "two": {"name": "Two", "command": "true"}},
        "tick": 30,
    }


def test_a_job_that_is_no_task_is_left_out(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one", namespace="group")
    keeper.look()

    assert keeper.content() == {"tasks": {}}


def test_a_change_is_written(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    scene.jobs.patch("one", {"command": "false"})
    keeper.look()

    assert keeper.content()["tasks"]["one"]["command"] == "false"


def test_a_deletion_is_written(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    scene.job(id="two")
    keeper.look()
    scene.jobs.delete("one")
    keeper.look()

    assert list(keeper.content()["tasks"]) == ["two"]


def test_a_job_that_was_deleted_and_made_anew_is_written(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    scene.jobs.delete("one")
    scene.job(id="one", command="false")
    keeper.look()

    assert keeper.content()["tasks"]["one"]["command"] == "false"


def test_an_option_that_changes_is_written(keeper: Keeper) -> None:
    keeper.look()
    keeper.options = {"mailer": {"timezone": "UTC"}}
    keeper.look()

    assert keeper.content()["mailer"] == {"timezone": "UTC"}


def test_among_more_jobs_than_a_page_holds_all_are_written(scene: Scene, keeper: Keeper) -> None:
    for number in range(501):
        scene.job(id=f"job{number}", name=f"Job {number}")
    keeper.look()

    assert len(keeper.content()["tasks"]) == 501


def test_nothing_is_written_while_nothing_changes(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    before = keeper.written()
    for pause in (EVERY, STORED_WITHIN, CHECKED_EVERY, HOUR):
        keeper.look(pause)

    assert keeper.written() == before


def test_a_change_that_does_not_show_in_the_file_writes_nothing(scene: Scene, keeper: Keeper) -> None:
    keeper.look()
    before = keeper.written()
    scene.job(id="one", namespace="group")
    keeper.look()

    assert keeper.written() == before


def test_a_process_that_starts_leaves_a_file_that_is_up_to_date(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    before = keeper.written()
    keeper.restart()
    keeper.look()

    assert keeper.written() == before


def test_what_changed_while_nobody_looked_is_written_at_the_start(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    scene.jobs.patch("one", {"command": "false"})
    keeper.restart()
    keeper.look(HOUR)

    assert keeper.content()["tasks"]["one"]["command"] == "false"


def test_a_file_that_somebody_removed_is_written_again(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    keeper.path.unlink()
    keeper.look()

    assert list(keeper.content()["tasks"]) == ["one"]


def test_something_old_that_another_process_wrote_late_is_mended(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    keeper.path.write_text("{}")
    keeper.look(CHECKED_EVERY)

    assert list(keeper.content()["tasks"]) == ["one"]


def test_only_the_owner_can_read_the_file(scene: Scene, keeper: Keeper) -> None:
    keeper.path.write_text("{}")
    keeper.path.chmod(0o644)
    scene.job(id="one")
    keeper.look()

    assert keeper.path.stat().st_mode & 0o777 == 0o600


def test_a_symbolic_link_stays_one(scene: Scene, keeper: Keeper, tmp_path: Path) -> None:
    keeper.path.symlink_to(tmp_path / "elsewhere.json")
    scene.job(id="one")
    keeper.look()

    assert keeper.path.is_symlink()
    assert "one" in json.loads((tmp_path / "elsewhere.json").read_text())["tasks"]


def test_a_directory_that_is_gone_is_told_loudly(scene: Scene, keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    keeper.break_directory()
    scene.job(id="one")
    keeper.look()

    assert [(record.levelname, str(keeper.path) in record.message, "No such file" in record.message) for record in caplog.records] == [
        ("ERROR", True, True)
    ]


def test_what_could_not_be_written_is_tried_again(scene: Scene, keeper: Keeper) -> None:
    keeper.break_directory()
    scene.job(id="one")
    keeper.look()
    keeper.mend_directory()
    keeper.look(2 * EVERY)

    assert list(keeper.content()["tasks"]) == ["one"]


def test_a_directory_that_stays_broken_is_told_ever_more_rarely(scene: Scene, keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    keeper.break_directory()
    scene.job(id="one")
    for _ in range(600):
        keeper.look()

    assert 5 < len(caplog.records) < 15


def test_a_job_that_cannot_be_shown_keeps_no_other_out_of_the_file(scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def shown_but_one(job: Job) -> Mapping[str, Any]:
        return {"name": {"two": "Two"}[job.id]}

    scene.job(id="one")
    scene.job(id="two")
    step = ConfigBackup(scene.store, BackupFile(tmp_path / "m.json"), as_json, task=shown_but_one, options=dict)
    step.run_once(scene.now)

    assert list(json.loads((tmp_path / "m.json").read_text())["tasks"]) == ["two"]
    assert "lacks job one" in caplog.text


def test_a_job_that_cannot_be_read_is_told_and_the_file_stays_as_it_was(
    scene: Scene, keeper: Keeper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene.job(id="one")
    keeper.look()
    before = keeper.written()
    scene.job(id="two")
    with closing(sqlite3.connect(tmp_path / "cm.sqlite3")) as connection, connection:
        connection.execute("UPDATE jobs SET definition = '{}' WHERE id = 'two'")
    keeper.look()

    assert keeper.written() == before
    assert "THE CONFIGURATION CANNOT BE WRITTEN" in caplog.text


def test_before_a_file_loses_its_last_task_it_is_kept(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    scene.jobs.delete("one")
    keeper.look()
    kept = json.loads(keeper.path.with_name("moneta.json.old").read_text())

    assert (keeper.content()["tasks"], list(kept["tasks"])) == ({}, ["one"])


def test_a_file_without_tasks_does_not_take_the_place_of_what_is_kept(scene: Scene, keeper: Keeper) -> None:
    scene.job(id="one")
    keeper.look()
    scene.jobs.delete("one")
    keeper.look()
    keeper.options = {"tick": 30}
    keeper.look()

    assert list(json.loads(keeper.path.with_name("moneta.json.old").read_text())["tasks"]) == ["one"]


def test_what_a_dead_process_left_half_written_is_removed(scene: Scene, keeper: Keeper) -> None:
    left = keeper.path.with_name(".moneta.json.abcdefgh.new")
    left.write_text("{")
    os.utime(left, (scene.now.timestamp() - 7_200,) * 2)
    scene.job(id="one")
    keeper.look()

    assert [path.name for path in keeper.path.parent.iterdir()] == ["moneta.json"]


def test_what_another_process_is_writing_is_left_alone(scene: Scene, keeper: Keeper) -> None:
    fresh = keeper.path.with_name(".moneta.json.abcdefgh.new")
    fresh.write_text("{")
    os.utime(fresh, (scene.now.timestamp() - 60,) * 2)
    scene.job(id="one")
    keeper.look()

    assert fresh.exists()


ODD = {
    "name": "é\u2028 🎉 \x07\x85\ufeff",
    "command": "a: b\n# c\t",
    "tags": ["yes", "1e3", "2026-11-22", "0x1f", "", " x ", "null"],
    "n": [None, 1.5, 2**70],
}


@pytest.mark.parametrize(("form", "read"), [(as_json, json.loads), (as_yaml, yaml.safe_load)])
def test_odd_texts_come_back_as_they_were(form: Form, read: Any) -> None:
    assert read(form({"tasks": {"1e5": ODD, "123": ODD}})) == {"tasks": {"1e5": ODD, "123": ODD}}


def test_yaml_has_no_aliases_and_keeps_the_order() -> None:
    pools = ["web"]
    text = as_yaml({"tasks": {"b": {"pools": pools}, "a": {"pools": pools}}}).decode()

    assert text == "tasks:\n  b:\n    pools:\n    - web\n  a:\n    pools:\n    - web\n"


@pytest.mark.parametrize("form", [as_json, as_yaml])
def test_a_yaml_file_is_kept_like_one_in_json(scene: Scene, tmp_path: Path, form: Form) -> None:
    keeper = Keeper(scene, tmp_path, form)
    scene.job(id="one")
    keeper.look()
    before = keeper.path.read_bytes()
    scene.jobs.delete("one")
    keeper.look()

    assert keeper.path.with_name("moneta.json.old").read_bytes() == before
