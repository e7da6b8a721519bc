"""What is allowed, and probably not what the user means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from coal_mine.domain.job import Definition, Runner
from coal_mine.domain.node import Node
from coal_mine.domain.schedules.unreadable import Unreadable

_RUNNERS = frozenset({Runner.COMMAND, Runner.DUMMY, Runner.INSTANCE})


def warnings_of(definition: Definition, nodes: Sequence[Node], now: datetime) -> list[str]:
    """One sentence for each."""
    return [*_of_nodes(definition, [node for node in nodes if node.is_registered(now)]), *_of_definition(definition, now)]


def _of_nodes(definition: Definition, registered: Sequence[Node]) -> Iterator[str]:
    serving = [node for node in registered if node.serves(definition.pools)]
    if not serving:
        pools = ", ".join(definition.pools)
        yield f"no node serves {'the pool' if len(definition.pools) == 1 else 'any of the pools'} {pools}: no run can start until one does"
        return
    able = [node for node in serving if node.has_runner(definition.runner_name)]
    willing = [node for node in able if node.may_run_as(definition.user)]
    if not able:
        yield f"no registered node of its pools has the runner {definition.runner_name}: each run will fail"
    elif not willing:
        yield f"no registered node of its pools may run as {definition.user}: each run will fail"
    elif not any(node.can_ever_fit(definition.cpus, definition.mem) for node in willing):
        needs = " and ".join(f"{amount:g} {unit}" for amount, unit in ((definition.cpus, "processors"), (definition.mem, "MB")) if amount)
        yield f"no registered node that may run it has {needs} for a run: each will be missed"


def _of_definition(definition: Definition, now: datetime) -> Iterator[str]:
    for place, schedule in enumerate(definition.schedules):
        if isinstance(schedule, Unreadable):
            yield f"schedules[{place}] can no longer be read and has no ticks, replace it: {schedule.fault}"
        elif schedule.tick_after(now) is None:
            yield f"schedules[{place}] has no tick in the future"
    if definition.runner not in _RUNNERS:
        yield f"no node knows the runner {definition.runner} yet: each run will fail"
    if definition.secrets:
        yield "secrets are given, and there is no backend that knows them: each run will fail"
    for parameter in definition.parameters:
        if definition.schedules and parameter.required and parameter.default is None:
            yield f"the parameter {parameter.name} is required and has no default: runs of the schedules do without it"
