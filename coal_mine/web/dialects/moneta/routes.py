"""All calls of this dialect. Modules of routes are named here."""

from __future__ import annotations

from collections.abc import Sequence

from coal_mine.web.auth import JobGate

from .access import MonetaGate
from .app import MonetaApp
from .calls import Route
from .nodes import Standpoint
from .services import Services
from .tasks import TaskRoutes, Tasks


def moneta_app(services: Services, job_key: str, own_names: Sequence[str]) -> MonetaApp:
    """`own_names` are the machine's, for calls without the key."""
    gate = MonetaGate(JobGate(job_key), services.config.open_to, own_names)
    return MonetaApp(gate, Standpoint(services.cluster, services.own_node), _routes(services))


def _routes(services: Services) -> list[Route]:
    tasks = Tasks(services.jobs, services.job_list, services.ids, services.timezone)
    modules = [TaskRoutes(tasks)]
    return [route for module in modules for route in module.routes()]
