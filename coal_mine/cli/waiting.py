"""Waiting for runs, with the job's exit status as ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from coal_mine.domain.errors import NotFound

from .answers import say
from .api import Api
from .connection import Refused, Unreachable
from .follow import Follower, Run, Sink, both_streams
from .outcomes import exit_status, has_ended, is_good, verdict


def follow_all(api: Api, runs: Sequence[Run], *, quiet: bool) -> int:
    """One after the other, with their output; the exit status of the first that was not good."""
    tell = _nothing if quiet else say
    _warn(api, runs, tell)
    all_ended = []
    for run in runs:
        if len(runs) > 1:
            tell(f"run {run['id']} on {run['slot']}:")
        all_ended.append(_to_its_end(api, run, both_streams(), tell))
    return _status(all_ended)


def wait_for(api: Api, run: Run) -> int:
    """Without its output."""
    _warn(api, [run], say)
    return _status([_to_its_end(api, run, Sink(), say)])


def ended(api: Api, run: Run) -> Run:
    return _with_farewell(Follower(api, run, sink=Sink(), say=say), run, say)


def show_output(api: Api, run: Run, *, stream: str, attempt: int | None, lines: int | None, follow: bool) -> None:
    """What the attempt has written; with `follow` also what it and its successors still will write. Raises NotFound."""
    if attempt and attempt > run["attempt"] and not follow:
        raise NotFound(f"run {run['id']} has no attempt {attempt}; it has had {run['attempt']}")
    first = attempt or max(run["attempt"], 1)
    shown = run if follow else {**run, "attempt": attempt or run["attempt"]}
    sink = Sink((stream, sys.stdout), lines=lines)
    follower = Follower(api, shown, sink=sink, say=say, first_attempt=first)
    follower.catch_up()
    sink.release()
    if follow:
        _warn(api, [run], say)
        _with_farewell(follower, run, say)
    elif not shown["attempt"]:
        say(f"run {run['id']} has written nothing: it is {run['state']}")


def _warn(api: Api, runs: Sequence[Run], tell: Callable[[str], None]) -> None:
    """What may keep them from starting, before anybody has waited for it in vain."""
    for job_id in dict.fromkeys(run["job"] for run in runs if not (run.get("attempt") or has_ended(run))):
        try:
            found = api.get("jobs", job_id).get("warnings", [])
        except (Refused, Unreachable):  # the job was deleted meanwhile, or else whoever follows is told the same
            continue
        for warning in found:
            tell(f"warning: {warning}")


def _to_its_end(api: Api, run: Run, sink: Sink, tell: Callable[[str], None]) -> Run:
    last = _with_farewell(Follower(api, run, sink=sink, say=tell), run, tell)
    if not is_good(last):
        tell(verdict(last))
    return last


def _with_farewell(follower: Follower, run: Run, tell: Callable[[str], None]) -> Run:
    try:
        return follower.follow()
    except KeyboardInterrupt:
        tell(f"run {run['id']} goes on; to end it: cmcli run kill '{run['id']}'")
        raise


def _status(runs: Sequence[Run]) -> int:
    return next((status for run in runs if (status := exit_status(run))), 0)


def _nothing(_: str) -> None:
    """For those who want to hear nothing."""
