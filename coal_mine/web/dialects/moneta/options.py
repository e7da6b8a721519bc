"""/cluster/config/<option>: what holds for the whole cluster, and what is kept for those who ask for it."""

from __future__ import annotations

from typing import Any

from coal_mine.domain.errors import Invalid, NotFound
from coal_mine.domain.fields import kind_of
from coal_mine.services.cluster import Cluster
from coal_mine.services.options import Options

from .answers import empty
from .calls import Call, Route
from .tasks import Tasks

_OPTION = "/cluster/config/<option:re:[^/]+>"


class OptionRoutes:
    """Two options are something else here: the tasks are the jobs, and execution_enabled is the switch for all nodes."""

    def __init__(self, options: Options, tasks: Tasks, cluster: Cluster) -> None:
        self._options = options
        self._tasks = tasks
        self._cluster = cluster

    def routes(self) -> list[Route]:
        return [Route("GET", _OPTION, self.get), Route("PUT", _OPTION, self.put), Route("DELETE", _OPTION, self.delete)]

    def get(self, call: Call) -> Any:
        match call.path["option"]:
            case "execution_enabled":
                return self._cluster.execution_enabled
            case "tasks":
                return self._tasks.all()
            case option:
                return self._options.get(option)

    def put(self, call: Call) -> Any:
        """With `dry_run`, only find out whether it would be refused."""
        option, value = call.path["option"], call.body()
        if call.has("dry_run"):
            self._check(option, value)
        else:
            self._set(option, value, call.by)
        return empty(204)

    def delete(self, call: Call) -> Any:
        """Back to the default. Raises NotFound when it is that already."""
        match call.path["option"]:
            case "execution_enabled":
                if self._cluster.execution_enabled:
                    raise NotFound("execution_enabled is not set")
                self._cluster.switch_execution(enabled=True, by=call.by)
            case "tasks":
                if not self._tasks.delete_all(call.by):
                    raise NotFound("there are no tasks")
            case option:
                self._options.unset(option, by=call.by)
        return empty(204)

    def _check(self, option: str, value: object) -> None:
        match option:
            case "execution_enabled":
                _flag(value)
            case "tasks":
                self._tasks.check_all(value)
            case _:
                self._options.check(option, value)

    def _set(self, option: str, value: object, by: str) -> None:
        match option:
            case "execution_enabled":
                self._cluster.switch_execution(enabled=_flag(value), by=by)
            case "tasks":
                self._tasks.replace_all(value, by)
            case _:
                self._options.set(option, value, by=by)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"execution_enabled is {kind_of(value)}, not true or false")
    return value
