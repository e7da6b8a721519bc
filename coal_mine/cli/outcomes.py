"""What became of a run, in words and as an exit status."""

from __future__ import annotations

from typing import Any

from coal_mine.domain.run import ENDED, End, RunState

Run = dict[str, Any]

FAILED, TIMED_OUT, SIGNALLED = 1, 124, 128  # the second as timeout(1) has it, the third as shells do: plus the signal's number

_WORDS = {
    RunState.DONE: "is done",
    RunState.FAILED: "has failed",
    RunState.KILLED: "was killed",
    RunState.LOST: "is lost",
    RunState.MISSED: "was missed",
    RunState.SKIPPED: "was skipped",
}


def has_ended(run: Run) -> bool:
    return run.get("state") in ENDED


def is_good(run: Run) -> bool:
    return bool(run.get("state") == RunState.DONE)


def exit_status(run: Run) -> int:
    """The command's own, where it has one."""
    if is_good(run):
        return 0
    if run.get("state") not in (RunState.FAILED, RunState.KILLED):
        return FAILED
    if run.get("end") == End.TIMED_OUT:
        return TIMED_OUT
    if run.get("signal"):
        return SIGNALLED + int(run["signal"])
    return int(run.get("exit_code") or FAILED)


def verdict(run: Run) -> str:
    words = _WORDS.get(run.get("state", ""), f"is {run.get('state')}")
    reason = run.get("reason")
    return f"run {run.get('id')} {words}{f': {reason}' if reason else ''}"
