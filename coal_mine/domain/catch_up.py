"""Runs of ticks that passed while nobody was there, and that may run all the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from .job import CatchUpPolicy
from .node import Node
from .run import Origin, Run, RunState

# Within this time after the return of a node, somebody decides on what was planned before. Longer nobody waits for that: there may be no
# background to decide.
DECIDED_AFTER = timedelta(seconds=10)


def caught_up(run: Run, now: datetime) -> Run:
    """With its start deadline anew; those that run one at a time have as long for that as the policy goes back."""
    definition = run.definition
    time = definition.start_deadline(run.tick)
    if definition.catch_up.policy is CatchUpPolicy.ALL:
        time = max(time, timedelta(seconds=definition.catch_up.within_seconds))
    return replace(run, origin=Origin.CATCH_UP, start_by=now + time)


def catches_up_in_order(run: Run) -> bool:
    """Whether it runs after those of earlier ticks, and beside none of them."""
    return run.origin is Origin.CATCH_UP and run.definition.catch_up.policy is CatchUpPolicy.ALL


def passed_before(run: Run, node: Node) -> bool:
    """Whether it was planned, and its tick passed, before this node was there, and all such ticks are to be caught up with in order.

    Its start deadline may be yet to come; those of earlier ones are over, and they go first.
    """
    is_untouched = run.origin is Origin.SCHEDULE and run.state is RunState.QUEUED and not run.attempt
    return is_untouched and run.due_at < node.started_at and run.definition.catch_up.policy is CatchUpPolicy.ALL


def goes_before(other: Run, run: Run, node: Node, now: datetime) -> bool:
    """Whether a run that is caught up with, or would be, lets this one go first.

    One of an earlier tick does, if it waits for its turn, or may yet be caught up with, as the sweeper says in a moment.
    """
    if other.tick >= run.tick or other.slot != run.slot or other.job_version != run.job_version:
        return False
    if other.state is not RunState.QUEUED or other.origin is Origin.MANUAL:
        return False
    if other.start_by <= now:
        return now < max(run.created_at, node.started_at) + DECIDED_AFTER
    return catches_up_in_order(run) or catches_up_in_order(other)
