"""Which runners Minion's accounts may use, for the processes that serve HTTP and for backgrounds."""

from __future__ import annotations

from coal_mine.background.runner_repair import RunnerRepair
from coal_mine.config import Config
from coal_mine.domain.ports import Store
from coal_mine.services.account_runners import AccountRunners
from coal_mine.services.job_list import JobList
from coal_mine.services.jobs import Jobs
from coal_mine.web.dialects.minion.translation import Translation


def translation_of(config: Config) -> Translation:
    allowed = {name: account.runners for name, account in config.minion.items()}
    return Translation(AccountRunners(allowed, {name: runner.runner for name, runner in config.runners.items()}))


def runner_repair(config: Config, store: Store, jobs: Jobs) -> RunnerRepair:
    return RunnerRepair(jobs, JobList(store), list(config.minion), translation_of(config).repair)
