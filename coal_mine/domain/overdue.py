"""Runs that should have been started and were not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from .catch_up import catches_up_in_order, caught_up
from .job import CatchUpPolicy, OverlapPolicy
from .node import Node, Switches
from .planning import COALESCED
from .run import ANY, OVERLAP, Origin, Run, RunChange, RunState, failed, missed, skipped
from .schedule import ticks_between
from .wishes import Wishes, held, in_words

# A run that lives is asked after more often than this.
_PATIENCE = timedelta(minutes=1)


def waits_for_its_turn(run: Run) -> bool:
    """Does it wait, rather than be skipped, while an earlier run is under way?"""
    if catches_up_in_order(run):
        return True
    return run.definition.overlap.policy in (OverlapPolicy.QUEUE, OverlapPolicy.REPLACE)


def overdue(run: Run, nodes: Sequence[Node], wishes: Sequence[Wishes], *, held_up: bool, unattended: bool, now: datetime) -> RunChange:
    """What becomes of a waiting run whose time to be started has passed. Operators who held it for a part of that time had their reasons.

    `held_up`: other runs of its job are under way. `unattended`: no background was there when its time passed.
    """
    serving = [node for node in nodes if node.serves(run.pools) and run.slot in (ANY, node.name)]
    alive = [node for node in serving if node.is_alive(now)]
    if why := held(run, alive, wishes):
        return skipped(run, why, now)
    back = any(node.started_at > run.due_at and not node.draining for node in alive)
    if back and unattended and (change := _caught_up(run, now)):
        return change
    if held_up:
        return skipped(run, f"{OVERLAP}, and its turn did not come in time", now)
    return missed(run, f"not started in time: {_why(run, serving, alive, unattended=unattended)}", now)


def _caught_up(run: Run, now: datetime) -> RunChange | None:
    """What the catch-up policy says of a planned run if all who could have run it were away at its tick; None: it is missed."""
    definition, policy = run.definition, run.definition.catch_up
    if run.origin is not Origin.SCHEDULE or run.failures or policy.policy is CatchUpPolicy.NONE:
        return None
    if now - run.tick > timedelta(seconds=policy.within_seconds):
        return None
    most = policy.most if policy.policy is CatchUpPolicy.ALL else 1
    if len(ticks_between(definition.schedules, run.tick, now, most)) >= most:
        return skipped(run, COALESCED, now)
    return RunChange(before=run, after=caught_up(run, now))


def unplaceable(run: Run, nodes: Sequence[Node], now: datetime) -> RunChange | None:
    """A run that no node has the runner for, or may run as the user whom it wants, has failed as soon as it is due; None: some node may."""
    user, runner = run.definition.user, run.definition.runner_name
    serving = [node for node in nodes if node.serves(run.pools) and run.slot in (ANY, node.name) and node.is_registered(now)]
    if not serving or any(node.may_run(run.definition) for node in serving):
        return None
    if not any(node.has_runner(runner) for node in serving):
        return failed(run, f"no node has the runner {runner}", now)
    of_these = f" that has the runner {runner}" if runner else ""
    return failed(run, f"no node{of_these} may run as {user}", now)


def out_of_reach(run: Run, nodes: Sequence[Node], switches: Switches, now: datetime) -> str:
    """In words, why no node could take it at this moment, whatever else it had to do; empty: one could."""
    serving = [node for node in nodes if node.serves(run.pools) and run.slot in (ANY, node.name)]
    alive = [node for node in serving if node.is_alive(now)]
    wishes = Wishes(switches=switches, draining=frozenset(node.name for node in nodes if node.draining))
    return _absent(run, serving, alive) or wishes.hold(run, alive)


def awaited_until(run: Run, now: datetime) -> datetime | None:
    """How long its canary should go on waiting for a run that is under way; None: no longer than it does.

    Where nobody has said how long it may take, that is as long as it lives. A limit of the tick is in the canary's own deadline.
    """
    definition = run.definition
    if run.state not in (RunState.CLAIMED, RunState.RUNNING):
        return None
    retry = definition.retries.longest_wait(after=run.failures)
    if definition.timeout_seconds is not None:
        limit = timedelta(seconds=definition.timeout_seconds + definition.kill_wait_seconds)
        return (run.started_at or now) + limit + _PATIENCE + retry
    return None if definition.grace_seconds is not None else now + 2 * _PATIENCE + retry


def _why(run: Run, serving: Sequence[Node], alive: Sequence[Node], *, unattended: bool) -> str:
    """What is known of its time: who lives now may have come, or come back, only afterwards."""
    if absent := _absent(run, serving, alive):
        return absent
    if all(node.started_at > run.start_by for node in alive):
        return f"started only afterwards: {_named(alive)}"
    if unattended:
        return f"nobody was there to see why; alive since: {_named(alive)}"
    return f"alive, but without room or held up: {_named(alive)}"


def _absent(run: Run, serving: Sequence[Node], alive: Sequence[Node]) -> str:
    if not serving:
        return f"no node serves {in_words('pool', run.pools)}" if run.slot == ANY else f"node {run.slot} has gone"
    return "" if alive else f"not alive: {_named(serving)}"


def _named(nodes: Sequence[Node]) -> str:
    return in_words("node", [node.name for node in nodes])
