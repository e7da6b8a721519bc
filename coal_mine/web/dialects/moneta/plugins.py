"""/plugins: which of Moneta's plugins have their like here."""

from __future__ import annotations

from typing import Any

from coal_mine.config.moneta import MonetaConfig

from .calls import Call, Route

_ALWAYS = ("mailer", "executionsummary", "audit")


class PluginRoutes:
    def __init__(self, config: MonetaConfig) -> None:
        self._config = config

    def routes(self) -> list[Route]:
        return [Route("GET", "/plugins", self.names)]

    def names(self, _: Call) -> Any:
        configured = {"configbackup": self._config.backup, "gui": self._config.docroot}
        return [*_ALWAYS, *(name for name, path in configured.items() if path)]
