"""Which runners Minion's accounts may use, for the processes that serve HTTP and for backgrounds."""

from __future__ import annotations

from coal_mine.config import Config
from coal_mine.services.jobs import Jobs
from coal_mine.web.dialects.minion.repair import RunnerRepair
from coal_mine.web.dialects.minion.translation import Translation


def translation_of(config: Config) -> Translation:
    allowed = {name: account.runners for name, account in config.minion.items()}
    return Translation(allowed, {name: runner.runner for name, runner in config.runners.items()})


def runner_repair(config: Config, jobs: Jobs) -> RunnerRepair:
    return RunnerRepair(jobs, translation_of(config))
