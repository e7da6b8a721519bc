"""Tasks as they were shown the last time. Working out how a job is shown takes long enough to be felt where thousands are listed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from coal_mine.domain.job import Definition

from .shown import Task, TaskView

MOST = 12_000_000  # characters of JSON; with the definitions they take up to three times as many bytes
# What a task counts beside its JSON.
_BESIDE = 1_000


@dataclass(frozen=True, slots=True)
class _Shown:
    definition: Definition
    task: Mapping[str, Any]
    size: int


class RememberingView:
    """As a TaskView, for jobs as they are now: of these the same ones are asked for again and again, which nobody does of what once was.

    All of a process share one, or each would remember the same.
    """

    def __init__(self, view: TaskView) -> None:
        self._view = view
        self._remembered = Remembered()

    def task(self, job_id: str, definition: Definition) -> Task:
        task = self._remembered.task(job_id, definition)
        if task is None:
            task = self._view.task(job_id, definition)
            self._remembered.keep(job_id, definition, task)
        return dict(task)


class Remembered:
    """The latest definition of each job, for several threads.

    When it is full, what is there stays: whoever goes through all tasks again and again finds those each time, while with what was used
    last he would find none. After many that found no place all is forgotten, since what is there may be of jobs that are gone.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._left = most
        self._turned_away = 0
        self._shown: dict[str, _Shown] = {}
        self._lock = Lock()

    def task(self, job_id: str, definition: Definition) -> Mapping[str, Any] | None:
        """Not to be changed. None: it is not known how the job is shown with this definition."""
        shown = self._shown.get(job_id)
        return shown.task if shown and shown.definition == definition else None

    def keep(self, job_id: str, definition: Definition, task: Mapping[str, Any]) -> None:
        shown = _Shown(definition, task, _BESIDE + len(json.dumps(task)))
        with self._lock:
            self._forget(job_id)
            if shown.size <= self._left:
                self._shown[job_id] = shown
                self._left -= shown.size
            else:
                self._turn_away()

    def _forget(self, job_id: str) -> None:
        old = self._shown.pop(job_id, None)
        self._left += old.size if old else 0

    def _turn_away(self) -> None:
        self._turned_away += 1
        if self._turned_away > 10 * len(self._shown):
            self._shown.clear()
            self._left, self._turned_away = self._most, 0
