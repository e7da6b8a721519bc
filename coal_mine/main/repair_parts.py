"""What puts jobs of Minion's accounts right, for a background."""

from __future__ import annotations

from coal_mine.background.heartbeat import BEAT
from coal_mine.background.loop import Loop
from coal_mine.background.runner_repair import RunnerRepair
from coal_mine.config import Config
from coal_mine.domain.ports import Clock, Store
from coal_mine.services.jobs import Jobs

from .minion_runners import translation_of


def repair_loop(config: Config, store: Store, clock: Clock, jobs: Jobs) -> Loop:
    repair = RunnerRepair(jobs, store.jobs, list(config.minion), translation_of(config).repair)
    return Loop("runner-repair", repair, clock, max_sleep=BEAT)
