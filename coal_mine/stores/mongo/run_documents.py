"""Between runs and the documents of the collection `runs`.

A document has the fields of a Run, without those that are empty, `_id` being its id and `definition` the text. Beside these it has fields
that exist for the indexes. Each is there only while the run belongs into its index, so that the many that have ended are in none of those
that are asked all the time:

    takers      while it waits: who may take it, see `takers_of`
    expires_at  while it waits: `start_by`
    open_of     while it has not ended: its job
    live_on     while it is live: its node
    outcome     when it has ended: its state
    over_at     when it has ended: `ended_at`, which an unreachable one has too
    owed_since  instead of `owed`, which is true when it is there: the latest of claimed_at, ended_at and created_at
"""

from __future__ import annotations

from datetime import datetime

from coal_mine.domain.definition import runner_name_in
from coal_mine.domain.node import Node
from coal_mine.domain.run import ANY, Attempt, End, Origin, Result, Run, RunChange, RunState

from .documents import Document
from .writes import Write

RUNS = "runs"
ANYBODY = "*"
# Stored under the same name and as it is; absent when None or empty.
_PLAIN = (
    "job_id",
    "job_version",
    "tick",
    "slot",
    "due_at",
    "start_by",
    "priority",
    "created_at",
    "attempt",
    "epoch",
    "node",
    "boot",
    "nonce",
    "lock",
    "claimed_at",
    "started_at",
    "ended_at",
    "reason",
)
_RESULT = (
    "started_at",
    "ended_at",
    "exit_code",
    "signal",
    "error",
    "max_memory",
    "cpu_user",
    "cpu_system",
    "stdout_bytes",
    "stderr_bytes",
    "left_behind",
)
_ATTEMPT = ("number", "node", "started_at", "ended_at", "exit_code", "reason", "lost")


def document_of(run: Run) -> Document:
    """All but the orders, which are changed by commands of their own."""
    document = {name: value for name in _PLAIN if (value := getattr(run, name)) is not None and value != ""}
    document["_id"] = run.id
    document["definition"] = run.definition_text
    document["origin"] = run.origin.value
    document["state"] = run.state.value
    document["pools"] = list(run.pools)
    if run.parameters:
        document["parameters"] = [list(pair) for pair in run.parameters]
    if run.command is not None:
        document["command"] = run.command if isinstance(run.command, str) else list(run.command)
    if run.result:
        document["result"] = _document_of_result(run.result)
    if run.past_attempts:
        document["attempts"] = [{name: getattr(attempt, name) for name in _ATTEMPT} for attempt in run.past_attempts]
    document.update(_memberships(run))
    return document


def _memberships(run: Run) -> Document:
    """The fields that exist for the indexes."""
    found: Document = {}
    if run.has_ended:
        found.update(outcome=run.state.value, over_at=run.ended_at)
    else:
        found["open_of"] = run.job_id
    if run.is_live:
        found["live_on"] = run.node
    if run.is_waiting:
        found.update(takers=takers_of(run), expires_at=run.start_by)
    if run.owed:
        found["owed_since"] = _touched_at(run)
    return found


def takers_of(run: Run) -> list[str]:
    """For each of its pools the nodes of it that may take the run; and everybody, for questions that are about no node.

    With the name of the runner that it needs: a node of a version that knows of none would start the job's empty command instead.
    """
    runner_name = runner_name_in(run.definition_text)
    return [ANYBODY, *dict.fromkeys(_taker(run.slot, pool, runner_name) for pool in run.pools)]


def taken_by(node: Node | None) -> list[str]:
    """In whose name this node takes runs."""
    if node is None:
        return [ANYBODY]
    runners = ("", *node.runners)
    return list(dict.fromkeys(_taker(slot, pool, runner) for pool in node.pools for slot in (ANY, node.name) for runner in runners))


def _taker(slot: str, pool: str, runner_name: str) -> str:
    return f"{slot}|{pool}|{runner_name}" if runner_name else f"{slot}|{pool}"


def _touched_at(run: Run) -> datetime:
    return max(at for at in (run.created_at, run.claimed_at, run.ended_at) if at)


def _document_of_result(result: Result) -> Document:
    values = {name: value for name in _RESULT if (value := getattr(result, name)) is not None}
    return {"end": result.end.value, **values}


def write_of(change: RunChange) -> Write:
    before, after = document_of(change.before), document_of(change.after)
    values = {name: value for name, value in after.items() if name not in before or before[name] != value}
    if change.after.owed:
        # Also if it was before: somebody may have told that meanwhile, and must tell this now.
        values["owed_since"] = after["owed_since"]
    gone = dict.fromkeys(before.keys() - after.keys(), "")
    update = {operator: fields for operator, fields in (("$set", values), ("$unset", gone)) if fields}
    condition = {"_id": change.before.id, "state": change.before.state.value, "epoch": change.before.epoch}
    return Write(condition, update or {"$set": {"state": change.after.state.value}})


def replacement_of(run: Run) -> Write:
    """A planned run in the place of one that an older version of the job planned, and that nobody has claimed."""
    document = document_of(run)
    key = document.pop("_id")
    condition = {
        "_id": key,
        "state": RunState.QUEUED.value,
        "epoch": 0,
        "origin": {"$ne": Origin.MANUAL.value},
        "job_version": {"$lt": run.job_version},
    }
    return Write(condition, {**document, "_id": key})


def run_of(document: Document) -> Run:
    get = document.get
    command = get("command")
    result = get("result")
    return Run(
        id=document["_id"],
        job_id=document["job_id"],
        job_version=document["job_version"],
        definition_text=document["definition"],
        tick=document["tick"],
        slot=document["slot"],
        origin=Origin(document["origin"]),
        state=RunState(document["state"]),
        due_at=document["due_at"],
        start_by=document["start_by"],
        priority=document["priority"],
        pools=tuple(document["pools"]),
        created_at=document["created_at"],
        parameters=tuple((name, value) for name, value in get("parameters", ())),
        command=tuple(command) if isinstance(command, list) else command,
        attempt=document["attempt"],
        epoch=document["epoch"],
        node=get("node", ""),
        boot=get("boot", ""),
        nonce=get("nonce", ""),
        lock=get("lock", ""),
        claimed_at=get("claimed_at"),
        started_at=get("started_at"),
        ended_at=get("ended_at"),
        reason=get("reason", ""),
        result=_result_of(result) if result else None,
        past_attempts=tuple(Attempt(**attempt) for attempt in get("attempts", ())),
        orders=tuple(get("orders", ())),
        owed="owed_since" in document,
    )


def _result_of(document: Document) -> Result:
    values = {name: document[name] for name in _RESULT if name in document}
    return Result(end=End(document["end"]), **{"started_at": None, **values})
