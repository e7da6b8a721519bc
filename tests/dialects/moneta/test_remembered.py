"""How tasks are shown is not worked out anew as long as nothing has changed, and takes no more memory than it may."""

from __future__ import annotations

from dataclasses import replace

from coal_mine.domain.definition import definition_from
from coal_mine.domain.job import Definition
from coal_mine.web.dialects.moneta.remembered import Remembered, RememberingView
from coal_mine.web.dialects.moneta.shown import Task, TaskView
from tests.support.edges import NOW

TASK = {"name": "x" * 9_000}  # counts 10,000 and a little


def definition(**more: object) -> Definition:
    return definition_from({"name": "One", "command": "true", **more}, job_id="one", now=NOW)


def known(remembered: Remembered, count: int) -> list[int]:
    """Which of so many are found when somebody goes through all of them, and keeps those that were not."""
    found = []
    for number in range(count):
        if remembered.task(str(number), definition()):
            found.append(number)
        else:
            remembered.keep(str(number), definition(), TASK)
    return found


def test_a_task_is_known_as_long_as_its_definition_is_the_same() -> None:
    remembered = Remembered()
    remembered.keep("one", definition(), TASK)

    assert remembered.task("one", definition()) == TASK
    assert remembered.task("one", definition(command="false")) is None
    assert remembered.task("other", definition()) is None


def test_who_goes_through_more_than_there_is_place_for_finds_what_has_a_place() -> None:
    remembered = Remembered(most=101_000)

    assert [len(known(remembered, 15)) for _ in range(4)] == [0, 10, 10, 10]


def test_a_task_that_changes_all_the_time_has_one_place() -> None:
    remembered = Remembered(most=30_000)
    for number in range(100):
        remembered.keep("one", definition(command=str(number)), TASK)
    remembered.keep("two", definition(), TASK)

    assert remembered.task("two", definition())


def test_tasks_that_are_gone_do_not_keep_their_places_for_ever() -> None:
    remembered = Remembered(most=25_000)
    known(remembered, 2)
    for number in range(100, 122):
        remembered.keep(str(number), definition(), TASK)

    assert remembered.task("121", definition())


def test_a_task_that_is_larger_than_all_the_place_is_shown_all_the_same() -> None:
    remembered = Remembered(most=100)
    remembered.keep("one", definition(), TASK)

    assert remembered.task("one", definition()) is None


def test_a_changed_job_is_shown_as_it_is_now() -> None:
    view = RememberingView(TaskView("UTC"))
    view.task("one", definition())

    assert view.task("one", replace(definition(), name="Other"))["name"] == "Other"


def test_what_callers_do_with_a_task_does_not_change_the_next_one() -> None:
    view = RememberingView(TaskView("UTC"))
    view.task("one", definition())["name"] = "Other"

    assert view.task("one", definition())["name"] == "One"


class Counting(TaskView):
    asked = 0

    def task(self, job_id: str, definition: Definition) -> Task:
        self.asked += 1
        return super().task(job_id, definition)


def test_a_task_is_worked_out_once() -> None:
    counting = Counting("UTC")
    view = RememberingView(counting)
    first, second = view.task("one", definition()), view.task("one", definition())

    assert first == second == TaskView("UTC").task("one", definition())
    assert counting.asked == 1
