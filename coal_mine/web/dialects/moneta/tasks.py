"""/tasks, /tasks/<id>, what switches one on and off, and /tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from coal_mine.domain.errors import Conflict, Invalid, NotFound
from coal_mine.domain.job import Definition, Job
from coal_mine.domain.job_ports import JobFilter
from coal_mine.domain.ports import Ids
from coal_mine.services.job_list import JobList
from coal_mine.services.jobs import Jobs

from .answers import answer
from .calls import TASK, Call, Route
from .shown import Task, completed, is_task
from .written import DIALECT, NO_COMMAND, in_its_words, native_of

# Others who create the same task at the same moment hold the names of its canary for as long as a write or two take.
_MAX_TRIES = 50


class Change(StrEnum):
    """What becomes of a task when one is put in its place."""

    CREATED = "created"
    UPDATED = "updated"
    NONE = "none"


class Tasks:
    """Jobs by the words of tasks. `by` is who calls."""

    def __init__(self, jobs: Jobs, job_list: JobList, ids: Ids, zone: str, as_task: Callable[[str, Definition], Task]) -> None:
        """`zone` is that of the schedules; `as_task` is how a job is shown, by its id and definition."""
        self._jobs = jobs
        self._list = job_list
        self._ids = ids
        self._zone = zone
        self._as_task = as_task

    def all(self, tag: str | None = None) -> dict[str, Any]:
        return {job.id: self._as_task(job.id, job.definition) for job in self._each(tag)}

    def get(self, task_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        return self._as_task(task_id, self._jobs.get(task_id).job.definition)

    def tags(self) -> list[str]:
        return sorted({tag for job in self._each() for tag in job.definition.tags})

    def create(self, task: object, by: str) -> str:
        """Its id, 32 hexadecimal digits. Raises Invalid."""
        task_id = "".join(self._ids.nonce() for _ in range(3))[:32]
        self._create(task_id, task, by)
        return task_id

    def put(self, task_id: str, task: object, by: str) -> Change:
        """Raises Invalid, and Conflict when there is neither such a task nor a name for the canary that it would have."""
        refused = Conflict(f"task {task_id} comes and goes all the time")
        for _ in range(_MAX_TRIES):
            try:
                return self._replace(task_id, task, by)
            except NotFound:
                try:
                    self._create(task_id, task, by)
                except Conflict as error:
                    refused = error  # mostly because somebody else is creating it: then it will be there
                else:
                    return Change.CREATED
        raise refused

    def check(self, task_id: str, task: object) -> tuple[Change, list[str]]:
        """As `put`, without writing anything; and what is allowed and probably not meant."""
        with in_its_words():
            definition = native_of(task, task_id, self._zone)
            try:
                job = self._jobs.get(task_id).job
            except NotFound:
                return Change.CREATED, self._jobs.preview({**definition, "id": task_id}).warnings
            after = self._jobs.preview(_beside_others(definition, job))
            is_same = self._is_shown_as(job, definition) or after.definition == job.definition
            return Change.NONE if is_same else Change.UPDATED, after.warnings

    def switch(self, task_id: str, by: str, *, enabled: bool) -> None:
        """Raises NotFound, and Invalid for one that cannot run."""
        if not enabled:
            self._jobs.disable(task_id, by=by)
        elif self._jobs.get(task_id).job.definition.command == NO_COMMAND:
            raise Invalid("the task has no command: give it one first")
        else:
            self._jobs.enable(task_id, by=by)

    def delete(self, task_id: str, by: str) -> None:
        """Raises NotFound."""
        self._jobs.delete(task_id, by=by)

    def delete_all(self, by: str, *, but: Mapping[str, Any] | None = None) -> int:
        """How many, without those in `but`."""
        deleted = 0
        for job_id in [job.id for job in self._each() if job.id not in (but or {})]:
            try:
                self._jobs.delete(job_id, by=by)
                deleted += 1
            except NotFound:  # somebody else was faster
                continue
        return deleted

    def check_all(self, tasks: object) -> dict[str, Any]:
        """Raises Invalid, naming the first one that is refused."""
        if not isinstance(tasks, dict):
            raise Invalid('the tasks are not an object such as {"021b2092ef4111e481a852540064e600": {"name": "My task"}}')
        for task_id, task in tasks.items():
            try:
                self._checked(task_id, task)
            except Invalid as error:
                raise Invalid(f"task {task_id[:100]!r}: {error}") from error
        return tasks

    def replace_all(self, given: object, by: str) -> None:
        """Nothing is changed if one of them is refused. Raises Invalid, naming it."""
        tasks = self.check_all(given)
        for task_id, task in tasks.items():
            self.put(task_id, task, by)
        self.delete_all(by, but=tasks)

    def _checked(self, task_id: str, task: object) -> None:
        if not is_task(task_id):
            raise Invalid("an id has small letters and digits only")
        self.check(task_id, task)

    def _each(self, tag: str | None = None) -> Iterator[Job]:
        return (job for job in self._list.each(JobFilter(tag=tag)) if is_task(job.id))

    def _create(self, task_id: str, task: object, by: str) -> None:
        with in_its_words():
            self._jobs.create({**native_of(task, task_id, self._zone), "id": task_id}, by=by)

    def _replace(self, task_id: str, task: object, by: str) -> Change:
        """One that comes back as it is shown does not become another one by that."""
        with in_its_words():
            definition = native_of(task, task_id, self._zone)
            job = self._jobs.get(task_id).job
            if self._is_shown_as(job, definition):
                after = self._jobs.patch(task_id, {}, by=by)
            else:
                after = self._jobs.replace(task_id, _beside_others(definition, job), by=by)
            return Change.NONE if after.job.version == job.version else Change.UPDATED

    def _is_shown_as(self, job: Job, definition: Mapping[str, Any]) -> bool:
        """`definition` is what a task says."""
        return _text_of(self._as_task(job.id, job.definition)) == _text_of(completed(definition["given"][DIALECT]))


def _text_of(task: Mapping[str, Any]) -> str:
    """JSON, since 1 and true and 1.0 are the same to Python."""
    return json.dumps(task, sort_keys=True)


def _beside_others(definition: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """What clients of other systems wrote of the job stays."""
    others = {dialect: json.loads(text) for dialect, text in job.definition.given}
    return {**definition, "given": {**others, **definition["given"]}}


class TaskRoutes:
    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/tasks", self.all),
            Route("POST", "/tasks", self.create),
            Route("DELETE", "/tasks", self.delete_all),
            Route("GET", TASK, self.get),
            Route("PUT", TASK, self.put),
            Route("DELETE", TASK, self.delete),
            Route("POST", f"{TASK}/enable", self.enable),
            Route("POST", f"{TASK}/disable", self.disable),
            Route("GET", "/tags", self.tags),
        ]

    def all(self, call: Call) -> Any:
        return self._tasks.all(call.text("tag"))

    def create(self, call: Call) -> Any:
        return answer({"id": self._tasks.create(call.body(), call.by), "created": True}, 201)

    def delete_all(self, call: Call) -> Any:
        self._tasks.delete_all(call.by)
        return {"deleted": True}

    def get(self, call: Call) -> Any:
        return self._tasks.get(call.path["task"])

    def put(self, call: Call) -> Any:
        """With `dry_run`, only say what it would do."""
        task_id = call.path["task"]
        if call.has("dry_run"):
            change, warnings = self._tasks.check(task_id, call.body())
            return {**_what_became_of(task_id, change), "dry_run": True, "warnings": warnings}
        change = self._tasks.put(task_id, call.body(), call.by)
        return answer(_what_became_of(task_id, change), 201 if change is Change.CREATED else 200)

    def delete(self, call: Call) -> Any:
        self._tasks.delete(call.path["task"], call.by)
        return {"id": call.path["task"], "deleted": True}

    def enable(self, call: Call) -> Any:
        self._tasks.switch(call.path["task"], call.by, enabled=True)
        return {"id": call.path["task"], "updated": True}

    def disable(self, call: Call) -> Any:
        self._tasks.switch(call.path["task"], call.by, enabled=False)
        return {"id": call.path["task"], "updated": True}

    def tags(self, _: Call) -> Any:
        return self._tasks.tags()


def _what_became_of(task_id: str, change: Change) -> dict[str, Any]:
    if change is Change.CREATED:
        return {"id": task_id, "created": True}
    return {"id": task_id, "updated": True, **({"unchanged": True} if change is Change.NONE else {})}
