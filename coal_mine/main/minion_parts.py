"""What answers clients of Minion."""

from __future__ import annotations

from collections.abc import Callable

from coal_mine.config import Config
from coal_mine.domain.ports import Clock, Store
from coal_mine.ids import RandomIds
from coal_mine.services.auth import HashedKey
from coal_mine.services.job_list import JobList
from coal_mine.services.jobs import Jobs
from coal_mine.services.runs import Runs
from coal_mine.web.auth import JobGate
from coal_mine.web.bridge import WsgiApp
from coal_mine.web.dialects.minion.access import MinionGate
from coal_mine.web.dialects.minion.app import SEGMENT, minion_face
from coal_mine.web.dialects.minion.verbs import Verbs
from coal_mine.web.health import Health
from coal_mine.web.metrics import Metrics
from coal_mine.web.turns import Turns

from .minion_runners import translation_of


def minion(
    config: Config, store: Store, jobs: Jobs, runs: Runs, key: str, *, clock: Clock, ids: RandomIds,
    examine: Callable[[], Health], turns: Turns,
) -> dict[str, WsgiApp]:  # fmt: skip
    """By the first segment of its paths."""
    verbs = Verbs(jobs, JobList(store), runs, translation_of(config), now=clock.now, new_id=ids.uuid)
    # Without accounts nobody has anything to call, and so no strangers make us work out hashes.
    gate = MinionGate(JobGate(key), HashedKey(key if config.minion else ""), turns.given_away)
    return {SEGMENT: minion_face(verbs, gate, Metrics(examine))}
