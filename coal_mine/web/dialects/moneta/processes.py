"""Executing tasks, and the processes that come of it: runs under way.

A process is named by its run's id, written with the letters and digits that Moneta's paths allow.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from typing import Any

from coal_mine.domain.errors import Conflict, NotFound, NotNow
from coal_mine.domain.run import Run
from coal_mine.services.run_requests import RunRequest
from coal_mine.services.runs import Runs

from .answers import answer
from .calls import ID, TASK, Call, Route
from .documents import timestamp
from .shown import is_task

_PROCESS = f"/processes/<process:re:{ID}>"


class ProcessRoutes:
    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def routes(self) -> list[Route]:
        """Custom methods, and the same as POST for those whom something on their way lets send no others."""
        return [
            Route("EXECUTE", TASK, self.execute),
            Route("POST", f"{TASK}/execute", self.execute),
            Route("KILL", _PROCESS, self.kill),
            Route("POST", f"{_PROCESS}/kill", self.kill),
            Route("GET", f"{TASK}/running", self.is_running),
            Route("GET", f"{TASK}/processes", self.of_task),
            Route("GET", "/running", self.all),
        ]

    def execute(self, call: Call) -> Any:
        """With `target=local` on the node for which is answered, with `force` however many are under way. Raises NotFound and Conflict."""
        task_id = call.path["task"]
        try:
            runs = self._runs.start(task_id, _request(call))
        except NotNow as error:
            return answer({"id": task_id, "executed": False, "message": str(error)}, 503)
        ids = [run.id for run in runs]
        return {"id": task_id, "executed": True, "processes": [process_id(run_id) for run_id in ids], "runs": ids}

    def kill(self, call: Call) -> Any:
        process = call.path["process"]
        try:
            self._runs.kill(run_id_of(process))
        except (NotFound, Conflict) as error:
            return answer({"id": process, "killed": False, "message": str(error)}, 404)
        return {"id": process, "killed": True}

    def is_running(self, call: Call) -> Any:
        task_id = call.path["task"]
        return {"id": task_id, "running": any(True for _ in self._runs.live(job_id=task_id))}

    def of_task(self, call: Call) -> Any:
        return with_nodes(self._runs.live(job_id=call.path["task"]))

    def all(self, _: Call) -> Any:
        return with_nodes(self._runs.live())


def _request(call: Call) -> RunRequest:
    key = call.environ.get("HTTP_IDEMPOTENCY_KEY", "")
    return RunRequest(key=key, force=call.has("force"), node=_only_node(call), waits=False)


def _only_node(call: Call) -> str:
    if call.text("target") != "local":
        return ""
    if call.node is None:
        raise NotNow("there is no node")
    return call.node.node.name


def with_nodes(runs: Iterable[Run]) -> dict[str, Any]:
    return {process_id(run.id): {"node": run.node, **process_json(run)} for run in of_tasks(runs)}


def of_tasks(runs: Iterable[Run]) -> Iterator[Run]:
    """Without those of jobs that no path of Moneta's names."""
    return (run for run in runs if is_task(run.job_id))


def process_json(run: Run) -> dict[str, Any]:
    """With the time of its start by both names that it has had."""
    start = timestamp(run.started_at or run.claimed_at or run.tick)
    return {"task": run.job_id, "start_time": start, "started": start}


def process_id(run_id: str) -> str:
    return base64.b32encode(run_id.encode()).decode().rstrip("=").lower()


def run_id_of(process: str) -> str:
    """Raises NotFound for what names no run."""
    padded = process.upper() + "=" * (-len(process) % 8)
    try:
        run_id = base64.b32decode(padded).decode()
    except (binascii.Error, UnicodeDecodeError):
        run_id = ""
    if process_id(run_id) != process:  # other letters may mean the same bytes
        raise NotFound(f"there is no process {process[:200]!r}")
    return run_id
