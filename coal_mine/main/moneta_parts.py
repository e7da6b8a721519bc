"""What answers Moneta's clients."""

from __future__ import annotations

import socket

from coal_mine.config import Config
from coal_mine.domain.ports import Clock, Ids, Store
from coal_mine.services.cluster import Cluster
from coal_mine.services.job_list import JobList
from coal_mine.services.jobs import Jobs
from coal_mine.services.options import Options
from coal_mine.services.runs import Runs
from coal_mine.web.bridge import WsgiApp
from coal_mine.web.dialects.moneta.app import SEGMENTS
from coal_mine.web.dialects.moneta.log import MonetaLog
from coal_mine.web.dialects.moneta.parts import Parts
from coal_mine.web.dialects.moneta.remembered import RememberingView
from coal_mine.web.dialects.moneta.routes import moneta_app
from coal_mine.web.dialects.moneta.shown import TaskView


def moneta(
    config: Config, store: Store, clock: Clock, ids: Ids, jobs: Jobs, runs: Runs, cluster: Cluster, key: str, view: RememberingView
) -> dict[str, WsgiApp]:
    """By the first segments of its paths."""
    node = config.node
    parts = Parts(
        jobs=jobs, job_list=JobList(store), runs=runs, cluster=cluster, options=Options(store, clock),
        log=MonetaLog(store, TaskView(config.timezone).task), as_task=view.task, clock=clock, ids=ids, config=config.moneta,
        own_node=node.name if node else "", timezone=config.timezone,
    )  # fmt: skip
    return dict.fromkeys(SEGMENTS, moneta_app(parts, key, [socket.gethostname()]))
