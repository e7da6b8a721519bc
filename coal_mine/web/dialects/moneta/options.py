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
    """Two options have an effect: the tasks are the jobs, and execution_enabled is the switch for all nodes."""

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
        value = call.body()
        match call.path["option"]:
            case "execution_enabled":
                self._switch_execution(value, call.by)
            case "tasks":
                self._tasks.replace_all(value, call.by)
            case option:
                self._options.set(option, value, by=call.by)
        return empty(204)

    def delete(self, call: Call) -> Any:
        """Back to the default. Raises NotFound when it is that already."""
        match call.path["option"]:
            case "execution_enabled":
                if self._cluster.execution_enabled:
                    raise NotFound("execution_enabled is not set")
                self._switch_execution(True, call.by)
            case "tasks":
                if not self._tasks.delete_all(call.by):
                    raise NotFound("there are no tasks")
            case option:
                self._options.unset(option, by=call.by)
        return empty(204)

    def _switch_execution(self, value: object, by: str) -> None:
        if not isinstance(value, bool):
            raise Invalid(f"execution_enabled is {kind_of(value)}, not true or false")
        self._cluster.switch_execution(enabled=value, by=by)
