"""Which runners Minion's accounts may use, for the processes that serve HTTP and for backgrounds."""

from __future__ import annotations

from coal_mine.config import Config
from coal_mine.services.account_runners import AccountRunners
from coal_mine.web.dialects.minion.translation import Translation


def translation_of(config: Config) -> Translation:
    allowed = {name: account.runners for name, account in config.minion.items()}
    return Translation(AccountRunners(allowed, {name: runner.runner for name, runner in config.runners.items()}))
