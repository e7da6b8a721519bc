"""What Moneta writes into its audit log, as documents in its words: executions, reports and changes of tasks. No I/O.

A run leaves up to two documents. The execution says that a node has taken it, or that none ever will; it is filed under the run's tick.
The report says how it ended, under the time of its end; a run that no node has taken has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from coal_mine.domain.audit import AuditEntry, AuditKind
from coal_mine.domain.definition import uncached_definition_from_text
from coal_mine.domain.job import Definition
from coal_mine.domain.output import Line, Stream
from coal_mine.domain.run import Run, RunState
from coal_mine.services.reports import FAIL, return_code, status_of

CREATED = "moneta-task-created"
UPDATED = "moneta-task-updated"
DELETED = "moneta-task-deleted"
EXECUTION = "moneta-task-execution"
REPORT = "moneta-task-report"
OF_KINDS = {AuditKind.CREATED: CREATED, AuditKind.CHANGED: UPDATED, AuditKind.DELETED: DELETED}

INFO, SUCCESS, ALERT = "info", "success", "alert"

MAX_LINES = 1_000
_LONGEST_LINE = 10_000  # characters; a longer one is several

Document = dict[str, Any]
AsTask = Callable[[str, Definition], Mapping[str, Any]]


def _was_executed(run: Run) -> bool | None:
    """Has a node taken it? None: it still waits for one."""
    if run.attempt:
        return True
    return False if run.has_ended else None


def _is_reported(run: Run) -> bool:
    return run.has_ended and run.attempt > 0


def level_of(state: RunState) -> str:
    """Of the report of a run that has ended so."""
    return SUCCESS if state is RunState.DONE else ALERT


def execution_document(run: Run) -> Document | None:
    """None: nothing is to be said yet."""
    success = _was_executed(run)
    if success is None:
        return None
    return {
        **_head(EXECUTION, run.job_id, run.tick, SUCCESS if success else ALERT),
        "node": run.node,
        "success": success,
        "message": "" if success else run.reason,
        "run": run.id,
    }


def report_document(run: Run, lines: Sequence[Line]) -> Document | None:
    """`lines` are those of its output's end. None: there is no report, or none yet."""
    if not _is_reported(run) or run.ended_at is None:
        return None
    definition = run.definition
    command = definition.command if run.command is None else run.command
    return {
        **_head(REPORT, run.job_id, run.ended_at, level_of(run.state)),
        "node": run.node,
        **summary_of(run),
        "finished": True,
        "last_update": timestamp(run.ended_at),
        **dict(_ending(run)),
        "output": _output(run, lines),
        "task_name": definition.name,
        **({"task_tags": list(definition.tags)} if definition.tags else {}),
        "task_command": command if isinstance(command, str) else " ".join(command),
        "run": run.id,
    }


def summary_of(run: Run) -> Document:
    """How it went, in four words."""
    began = run.started_at or run.claimed_at
    return {
        "status": status_of(run),
        "start_time": began and timestamp(began),
        "end_time": run.ended_at and timestamp(run.ended_at),
        "duration": (run.ended_at - began).total_seconds() if began and run.ended_at else None,
    }


def change_document(as_task: AsTask, entry: AuditEntry) -> Document | None:
    """With the task as it is, or last was, and as it was before. None: the entry is about no task."""
    kind = OF_KINDS.get(entry.kind)
    if kind is None:
        return None
    document = {**_head(kind, entry.subject, entry.at, INFO), "user": entry.by, "config": _task(as_task, entry, entry.new or entry.old)}
    return document | ({"oldconfig": _task(as_task, entry, entry.old)} if kind == UPDATED else {})


def _task(as_task: AsTask, entry: AuditEntry, text: str) -> Mapping[str, Any] | None:
    return as_task(entry.subject, uncached_definition_from_text(text)) if text else None


def timestamp(moment: datetime) -> str:
    """With microseconds and an offset, as Moneta writes times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _head(kind: str, task: str, at: datetime, level: str) -> Document:
    return {"event_type": kind, "task": task, "@timestamp": timestamp(at), "@level": level}


def _ending(run: Run) -> Iterator[tuple[str, Any]]:
    result = run.result
    code = return_code(result) if result else None
    if code is not None:
        yield "returncode", code
    if status_of(run) == FAIL:
        yield "error", run.reason or str(run.state)
    if result and result.max_memory is not None:
        yield "maxrss", result.max_memory
    if result and result.cpu_user is not None and result.cpu_system is not None:
        yield "cputime_user", result.cpu_user
        yield "cputime_system", result.cpu_system


def _output(run: Run, lines: Sequence[Line]) -> Document:
    began = run.started_at or run.tick
    buffer = [_entry(began, line, text) for line in lines[-MAX_LINES:] for text in _texts(line.data)]
    return {"buffer": buffer[-MAX_LINES:], "bytes": _sizes(run, lines)}


def _sizes(run: Run, lines: Sequence[Line]) -> dict[str, int]:
    """Both channels always, since Moneta's web client calculates with them. Of a run that was lost, what is left counts."""
    if run.result:
        return {"stdout": run.result.stdout_bytes, "stderr": run.result.stderr_bytes}
    return {stream.name.lower(): sum(len(line.data) + 1 for line in lines if line.stream is stream) for stream in Stream}


def _entry(began: datetime, line: Line, text: str) -> Document:
    return {"time": timestamp(began + timedelta(milliseconds=line.millis)), "channel": line.stream.name.lower(), "text": text}


def _texts(data: bytes) -> Iterator[str]:
    """What is no UTF-8 is taken for Latin-1, in which every byte is a letter."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    for start in range(0, max(len(text), 1), _LONGEST_LINE):
        yield text[start : start + _LONGEST_LINE].rstrip()
