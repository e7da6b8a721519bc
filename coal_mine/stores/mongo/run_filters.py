"""What is to be listed, as conditions that an index answers in the order of the list."""

from __future__ import annotations

from datetime import datetime

from coal_mine.domain.job_ports import EndedFilter, RunFilter
from coal_mine.domain.run import ENDED, RunState

from .documents import Document


def condition_of(wanted: RunFilter) -> Document:
    condition = _without_tick(wanted)
    if tick := _tick_of(wanted):
        condition["tick"] = tick
    return condition


def page_of(wanted: RunFilter, before: tuple[datetime, str] | None) -> list[Document]:
    """The conditions of queries whose results, one after the other, are the runs behind a place in the list.

    First those of the same tick with a lower id, then those of earlier ticks. One query for both would sort all that it finds.
    """
    if before is None:
        return [condition_of(wanted)]
    tick, run_id = before
    condition, limits = _without_tick(wanted), _tick_of(wanted)
    same = {**limits, "$eq": tick}
    earlier = {**limits, "$lt": min(tick, limits.get("$lt", tick))}
    return [{**condition, "tick": same, "_id": {"$lt": run_id}}, {**condition, "tick": earlier}]


def _without_tick(wanted: RunFilter) -> Document:
    condition: Document = {}
    if wanted.job_id is not None:
        condition["job_id"] = wanted.job_id
    if wanted.node is not None:
        condition["node"] = wanted.node or None
    if wanted.states is not None:
        condition.update(_among(wanted.states, alone=not condition))
    return condition


def _among(states: frozenset[RunState], *, alone: bool) -> Document:
    """Few of all runs fail, and fewer are under way; there are indexes for either, of which no part of a list of one job has need."""
    named = sorted(state.value for state in states)
    if alone and states <= ENDED:
        return {"outcome": {"$in": named}}
    if alone and not states & ENDED:
        return {"open_of": {"$gte": ""}, "state": {"$in": named}}
    return {"state": {"$in": named}}


def ended(wanted: EndedFilter) -> Document:
    """The conditions of the index are named, else it would not be used."""
    condition: Document = {"over_at": {"$exists": True, **_between(wanted.since, wanted.until)}, "attempt": {"$gt": 0}}
    if wanted.job_id is not None:
        condition["job_id"] = wanted.job_id
    return condition


def _tick_of(wanted: RunFilter) -> Document:
    return _between(wanted.since, wanted.until)


def _between(since: datetime | None, until: datetime | None) -> Document:
    limits = {"$gte": since, "$lt": until}
    return {operator: at for operator, at in limits.items() if at is not None}
