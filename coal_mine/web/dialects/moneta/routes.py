"""All calls of this dialect. Modules of routes are named here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from coal_mine.web.auth import JobGate
from coal_mine.web.dialects.face import Face

from .access import MonetaGate
from .app import moneta_face
from .auditlog import AuditLogRoutes
from .calls import Route
from .gui import GuiRoutes
from .options import OptionRoutes
from .parts import Parts
from .plugins import PluginRoutes
from .processes import ProcessRoutes
from .standpoint import Standpoint
from .status import StatusRoutes
from .summary import SummaryRoutes
from .tasks import TaskRoutes, Tasks


class _Module(Protocol):
    def routes(self) -> list[Route]: ...


def moneta_app(parts: Parts, job_key: str, own_names: Sequence[str]) -> Face:
    """`own_names` are the machine's, for calls without the key."""
    gate = MonetaGate(JobGate(job_key), parts.config.open_to, own_names)
    return moneta_face(gate, Standpoint(parts.cluster, parts.own_node), _routes(parts))


def _routes(parts: Parts) -> list[Route]:
    tasks = Tasks(parts.jobs, parts.job_list, parts.ids, parts.timezone, parts.as_task)
    modules: list[_Module] = [
        TaskRoutes(tasks),
        OptionRoutes(parts.options, tasks, parts.cluster),
        ProcessRoutes(parts.runs),
        StatusRoutes(parts.cluster, parts.runs, parts.timezone),
        SummaryRoutes(parts.job_list, parts.runs),
        AuditLogRoutes(parts.log, parts.clock),
        PluginRoutes(parts.config),
        GuiRoutes(parts.config.docroot),
    ]
    return [route for module in modules for route in module.routes()]
