"""/executionsummary: how the latest run of each task went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coal_mine.services.job_list import JobList
from coal_mine.services.runs import Runs

from .calls import TASK, Call, Route
from .documents import summary_of
from .shown import is_task

_AT_ONCE = 1_000


class SummaryRoutes:
    def __init__(self, job_list: JobList, runs: Runs) -> None:
        self._list = job_list
        self._runs = runs

    def routes(self) -> list[Route]:
        return [Route("GET", "/executionsummary", self.all), Route("GET", f"{TASK}/executionsummary", self.of_task)]

    def all(self, _: Call) -> Any:
        """Of tasks that have run."""
        found = {}
        for ids in self._portions():
            found.update({task_id: summary_of(run) for task_id, run in self._runs.last_ended(ids).items()})
        return found

    def of_task(self, call: Call) -> Any:
        """Empty when it has never run."""
        task_id = call.path["task"]
        run = self._runs.last_ended([task_id]).get(task_id)
        return summary_of(run) if run else {}

    def _portions(self) -> Iterator[list[str]]:
        ids = [job.id for job in self._list.each() if is_task(job.id)]
        for start in range(0, len(ids), _AT_ONCE):
            yield ids[start : start + _AT_ONCE]
