"""Runs, nodes and shortcuts for the tests of the stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from coal_mine.domain.definition import definition_as_text
from coal_mine.domain.job import Definition, OnLost, Retries
from coal_mine.domain.key import Key
from coal_mine.domain.node import Node
from coal_mine.domain.ports import Store
from coal_mine.domain.run import ANY, End, Origin, Outcome, Result, Run, RunChange, RunState, claimed, ended, run_id, started
from tests.stores.examples import NOW

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
RETRYING = Definition(name="Backup", command="true", retries=Retries(most=3))
ELSEWHERE = Definition(name="Backup", command="true", on_lost=OnLost.RERUN)

_numbers = count()


def run(*, definition: Definition | None = None, **values: Any) -> Run:
    """Queued for NOW; every one has another id."""
    definition = definition or Definition(name="Backup", command="true")
    job_id = values.pop("job_id", f"job-{next(_numbers)}")
    tick = values.pop("tick", NOW)
    slot = values.pop("slot", ANY)
    plain = Run(
        id=values.pop("id", run_id(job_id, tick, slot)),
        job_id=job_id,
        job_version=1,
        definition_text=definition_as_text(definition),
        tick=tick,
        slot=slot,
        origin=Origin.SCHEDULE,
        state=RunState.QUEUED,
        due_at=tick,
        start_by=tick + MINUTE,
        priority=0,
        pools=("default",),
        created_at=NOW - MINUTE,
    )
    return replace(plain, **values)


def node(name: str = "node-1", pools: tuple[str, ...] = ("default",)) -> Node:
    return Node(
        name=name, pools=pools, users=("*",), timezone="UTC", slots=8, cpus=0, mem=0, host="host", pid=1, boot="boot", version="1",
        started_at=NOW, seen_at=NOW,
    )  # fmt: skip


def added(store: Store, **values: Any) -> Run:
    """A run that is in the store."""
    one = run(**values)
    assert store.runs.add([one]) == 1
    return one


def claim(one: Run, nonce: str = "nonce", *, node: str = "node-1", lock: str = "", now: datetime = NOW) -> RunChange:
    return claimed(one, node=node, boot="boot", nonce=nonce, lock=lock, now=now)


def written(store: Store, change: RunChange) -> Run:
    """The run after a change that was won."""
    assert store.runs.change([change]) == [Outcome.WON]
    return change.after


def added_claimed(store: Store, nonce: str = "nonce", *, node: str = "node-1", lock: str = "", **values: Any) -> Run:
    return written(store, claim(added(store, **values), nonce, node=node, lock=lock))


def added_running(store: Store, **values: Any) -> Run:
    return written(store, started(added_claimed(store, **values), NOW))


def added_ended(store: Store, *, at: datetime = NOW, exit_code: int = 0, **values: Any) -> Run:
    return written(store, ended(added_running(store, **values), result(exit_code, at=at)))


def result(exit_code: int = 0, *, at: datetime = NOW) -> Result:
    return Result(end=End.EXITED, started_at=NOW, ended_at=at, exit_code=exit_code)


def ids(runs: Sequence[Run | Key[RunState]]) -> list[str]:
    return [one.id for one in runs]
