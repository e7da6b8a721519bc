"""What all routes of this dialect work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coal_mine.config.moneta import MonetaConfig
from coal_mine.domain.job import Definition
from coal_mine.domain.ports import Clock, Ids
from coal_mine.services.cluster import Cluster
from coal_mine.services.job_list import JobList
from coal_mine.services.jobs import Jobs
from coal_mine.services.options import Options
from coal_mine.services.runs import Runs

from .log import MonetaLog
from .shown import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    jobs: Jobs
    job_list: JobList
    runs: Runs
    cluster: Cluster
    options: Options
    log: MonetaLog
    as_task: Callable[[str, Definition], Task]
    clock: Clock
    ids: Ids
    config: MonetaConfig
    own_node: str  # this machine's; empty: it is none
    timezone: str  # of schedules: tasks name none
