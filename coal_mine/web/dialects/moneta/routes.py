"""All calls of this dialect. Modules of routes are named here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from coal_mine.web.auth import JobGate

from .access import MonetaGate
from .app import MonetaApp
from .auditlog import AuditLogRoutes
from .calls import Route
from .gui import GuiRoutes
from .nodes import Standpoint
from .options import OptionRoutes
from .plugins import PluginRoutes
from .processes import ProcessRoutes
from .services import Services
from .status import StatusRoutes
from .summary import SummaryRoutes
from .tasks import TaskRoutes, Tasks


class _Module(Protocol):
    def routes(self) -> list[Route]: ...


def moneta_app(services: Services, job_key: str, own_names: Sequence[str]) -> MonetaApp:
    """`own_names` are the machine's, for calls without the key."""
    gate = MonetaGate(JobGate(job_key), services.config.open_to, own_names)
    return MonetaApp(gate, Standpoint(services.cluster, services.own_node), _routes(services))


def _routes(services: Services) -> list[Route]:
    tasks = Tasks(services.jobs, services.job_list, services.ids, services.timezone)
    modules: list[_Module] = [
        TaskRoutes(tasks),
        OptionRoutes(services.options, tasks, services.cluster),
        ProcessRoutes(services.runs),
        StatusRoutes(services.cluster, services.runs),
        SummaryRoutes(services.job_list, services.runs),
        AuditLogRoutes(services.log, services.clock),
        PluginRoutes(services.config),
        GuiRoutes(services.config.docroot),
    ]
    return [route for module in modules for route in module.routes()]
