"""The native API of runs: /coal-mine/v1/runs, and those of one job."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from coal_mine.domain.errors import Invalid
from coal_mine.domain.fields import Fields
from coal_mine.domain.job_ports import RunFilter
from coal_mine.domain.run import Attempt, Run, RunState
from coal_mine.domain.times import isoformat
from coal_mine.services.run_requests import RunRequest
from coal_mine.services.runs import CURSOR, MAX_PAGE, Runs

from .jobs import LOCATION, limit_schema
from .operations import PREFIX, Body, Call, Named, Operation, Reply
from .responses import json_answer
from .schemas import TEXT, TIME

_STATES = "|".join(RunState)
_KEY = Named(
    "Idempotency-Key",
    "Two requests with one key are one; goes before the key in the body.",
    {**TEXT, "minLength": 1, "pattern": "^[!-~]{1,200}$"},
)
_PAGE = (
    Named("state", "Those in one of these states, separated by commas.", {**TEXT, "pattern": f"^({_STATES})(,({_STATES}))*$"}),
    Named("node", "Those of this node.", TEXT),
    Named("since", "Those whose time was not earlier.", TIME),
    Named("until", "Those whose time was earlier.", TIME),
    Named("limit", "The length of a page.", limit_schema(MAX_PAGE)),
    Named("before", "What the last page has called next.", {**TEXT, "pattern": f"^{CURSOR.pattern}$"}),
)
_ORDERED = Reply(status=202, description="The run. Its node does as it is told within seconds.", schema="Run")
_ENDED = Reply(status=409, description="The run is not in a state for that.", schema="Error")
_PAGE_REPLY = Reply(status=200, description="A page.", schema="RunPage")


class RunRoutes:
    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def operations(self) -> list[Operation]:
        return [
            Operation(
                method="POST", path="/jobs/{job}/run", name="runJob", summary="Run it now.", handle=self.start,
                headers=(_KEY,), body=Body(schema="RunRequest", needed=False),
                replies=(
                    Reply(status=202, description="The run, or in mode all the first of them.", schema="StartedRun", headers=(LOCATION,)),
                    Reply(status=409, description="The key was used before, with other parameters.", schema="Error"),
                ),
            ),
            Operation(
                method="GET", path="/jobs/{job}/runs", name="listRunsOfJob", summary="Runs of one job, the newest first, page by page.",
                handle=self.list_of_job, query=_PAGE, replies=(_PAGE_REPLY,),
            ),
            Operation(
                method="GET", path="/runs", name="listRuns", summary="Runs, the newest first, page by page.", handle=self.list,
                query=(Named("job", "Those of this job.", TEXT), *_PAGE), replies=(_PAGE_REPLY,),
            ),
            Operation(
                method="GET", path="/runs/{run}", name="getRun", summary="One run.", handle=self.get,
                replies=(Reply(status=200, description="The run.", schema="Run"),),
            ),
            Operation(
                method="POST", path="/runs/{run}/kill", name="killRun", summary="End it with all its processes.", handle=self.kill,
                replies=(_ORDERED, _ENDED),
            ),
            Operation(
                method="POST", path="/runs/{run}/signal", name="signalRun", summary="Send a signal to its processes.", handle=self.signal,
                body=Body(schema="Signal"), replies=(_ORDERED, _ENDED),
            ),
        ]  # fmt: skip

    def start(self, call: Call) -> Any:
        runs = self._runs.start(call.path["job"], _request(call))
        headers = [("location", f"{PREFIX}/runs/{quote(runs[0].id, safe=':')}")]
        return json_answer({**run_json(runs[0]), "runs": [run.id for run in runs]}, 202, headers)

    def list(self, call: Call) -> Any:
        return self._page(call, call.query.text("job"))

    def list_of_job(self, call: Call) -> Any:
        return self._page(call, call.path["job"])

    def get(self, call: Call) -> Any:
        return run_json(self._runs.get(call.path["run"]))

    def kill(self, call: Call) -> Any:
        return json_answer(run_json(self._runs.kill(call.path["run"])), 202)

    def signal(self, call: Call) -> Any:
        fields = Fields(call.body)
        given = fields.raw("signal")
        name = fields.whole("signal", 0, 1, 64) if isinstance(given, int | float) else fields.text("signal", most=20)
        fields.refuse_rest()
        return json_answer(run_json(self._runs.signal(call.path["run"], name)), 202)

    def _page(self, call: Call, job_id: str | None) -> Any:
        query = call.query
        wanted = RunFilter(
            job_id=job_id, states=_states(query.text("state")), node=query.text("node"),
            since=query.moment("since"), until=query.moment("until"),
        )  # fmt: skip
        page = self._runs.list(wanted, before=query.text("before"), limit=query.number("limit", 100, 1, MAX_PAGE))
        return {"runs": [run_json(run) for run in page.runs], "next": page.next}


def _request(call: Call) -> RunRequest:
    fields = Fields(call.body)
    key, header = fields.text("key", most=200), call.header("Idempotency-Key")
    if header == "":
        raise Invalid("the header Idempotency-Key is empty")
    parameters = fields.raw("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise fields.error("parameters", "is not an object")
    request = RunRequest(parameters=parameters or {}, key=header or key, force=fields.flag("force", default=False))
    fields.refuse_rest()
    return request


def _states(text: str | None) -> frozenset[RunState] | None:
    if text is None:
        return None
    for name in text.split(","):
        if name not in list(RunState):
            raise Invalid(f"state {name[:40]!a} is none of {', '.join(RunState)}")
    return frozenset(map(RunState, text.split(",")))


def run_json(run: Run) -> dict[str, Any]:
    definition = run.definition
    command = definition.command if run.command is None else run.command
    return {
        "id": run.id,
        "job": run.job_id,
        "job_name": definition.name,
        "job_version": run.job_version,
        "state": run.state.value,
        "reason": run.reason,
        "scheduled_at": isoformat(run.tick),
        "due_at": isoformat(run.due_at),
        "start_by": isoformat(run.start_by),
        "slot": run.slot,
        "origin": run.origin.value,
        "node": run.node,
        "attempt": run.attempt,
        "created_at": isoformat(run.created_at),
        "claimed_at": run.claimed_at and isoformat(run.claimed_at),
        "started_at": run.started_at and isoformat(run.started_at),
        "ended_at": run.ended_at and isoformat(run.ended_at),
        "duration": _duration(run),
        **_result_json(run),
        "attempts": [_attempt_json(attempt) for attempt in run.past_attempts],
        "parameters": dict(run.parameters),
        "command": command if isinstance(command, str) else list(command),
        "epoch": run.epoch,
        "orders": list(run.orders),
    }


def _duration(run: Run) -> float | None:
    return (run.ended_at - run.started_at).total_seconds() if run.started_at and run.ended_at else None


def _result_json(run: Run) -> dict[str, Any]:
    """Of the latest attempt that has ended."""
    result = run.result
    return {
        "exit_code": result and result.exit_code,
        "signal": result and result.signal,
        "end": result and result.end.value,
        "max_memory": result and result.max_memory,
        "cpu_user": result and result.cpu_user,
        "cpu_system": result and result.cpu_system,
        "stdout_bytes": result.stdout_bytes if result else 0,
        "stderr_bytes": result.stderr_bytes if result else 0,
        "left_behind": result.left_behind if result else 0,
    }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "node": attempt.node,
        "started_at": attempt.started_at and isoformat(attempt.started_at),
        "ended_at": isoformat(attempt.ended_at),
        "exit_code": attempt.exit_code,
        "reason": attempt.reason,
        "lost": attempt.lost,
    }
