"""The web application of a process: what users can do, and what must hear of it."""

from __future__ import annotations

from collections.abc import Callable

from coal_mine.config import Config
from coal_mine.domain.ports import Clock, Store
from coal_mine.ids import RandomIds
from coal_mine.services.canaries import Canaries
from coal_mine.services.cluster import Cluster
from coal_mine.services.jobs import Jobs
from coal_mine.services.runs import Runs
from coal_mine.web.app import App
from coal_mine.web.dialects.moneta.remembered import RememberingView
from coal_mine.web.health import Health
from coal_mine.web.turns import Turns

from .job_key import job_key
from .minion_parts import minion
from .moneta_parts import moneta


def make_app(
    config: Config, store: Store, clock: Clock, ids: RandomIds, jobs: Jobs, *, wake: Callable[[str], None],
    look_for_runs: Callable[[], None], examine: Callable[[], Health], turns: Turns, view: RememberingView,
) -> App:  # fmt: skip
    """`wake` takes the name of a loop; `view` is how jobs are shown as tasks."""
    canaries = Canaries(store, clock, ids, deadlines_changed=lambda: wake("watcher"), alert_owed=lambda: wake("expander"))
    runs, cluster, key = Runs(store, clock, ids, runs_changed=look_for_runs), Cluster(store, clock, changed=look_for_runs), job_key(config)
    dialects = {
        **moneta(config, store, clock, ids, jobs, runs, cluster, key, view),
        **minion(config, store, jobs, runs, key, clock=clock, ids=ids, examine=examine, turns=turns),
    }
    return App(
        canaries, jobs, runs, cluster, dialects,
        key=config.wsgi.auth_key, job_key=key, local_only=config.local_only, examine=examine, turns=turns,
    )  # fmt: skip
