"""A node: claims runs, starts them, and tells what becomes of them."""

from __future__ import annotations

import logging
import os
import pwd
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from coal_mine.domain.errors import Conflict
from coal_mine.domain.node import Node
from coal_mine.domain.ports import Clock, Ids, Store
from coal_mine.domain.run import Run
from coal_mine.domain.times import EPOCH
from coal_mine.node.processes.identity import boot_id
from coal_mine.node.spool.names import RUNS
from coal_mine.node.spool.ownership import SpoolUnsafe, is_ours
from coal_mine.node.spool.spool import Spool, SpoolTaken

from .adoption import Adoption
from .claimer import Claimer
from .forker import Forker
from .lease import Lease, NodeBeat
from .observation import Observer
from .reporter import Reporter
from .roster import Roster
from .runners import Runners
from .starter import Starter

_log = logging.getLogger(__name__)

_ID = "id"


def own_user() -> str:
    """As whom this process runs."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _take_over(path: Path) -> None:
    """The spool is named after the node. When a machine's only node was given another name, its runs are still under way in the old one.

    Supervisors do not mind: they hold their directories open and know them by no name. What somebody else has put there, who could
    thereby have it run as this user, is no spool.
    """
    if path.exists() or not is_ours(path.parent, shared=True):
        return
    others = [other for other in path.parent.glob("*") if is_ours(other) and is_ours(other / RUNS) and (other / _ID).exists()]
    if len(others) != 1 or not any((others[0] / RUNS).iterdir()):
        return
    with suppress(SpoolTaken), closing(Spool(others[0])):  # else it belongs to a second node, which is running
        others[0].rename(path)
        _log.warning("this node goes on with the runs in %s", others[0], extra={"action": "spool_taken_over"})


def check_spool(path: Path) -> None:
    """Find faults before anything is started. Raises Conflict and OSError, as an agent would."""
    _take_over(path)
    _spool_at(path).close()


def _spool_at(path: Path) -> Spool:
    try:
        return Spool(path)
    except (SpoolTaken, SpoolUnsafe) as error:
        raise Conflict(str(error)) from error


class Agent:
    """Its parts are steps, each for a loop of its own: `beat`, `claimer`, `reporter`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        spool_path: Path,
        announce: Callable[[str, datetime], Node],
        runners: Runners,
        *,
        tell: Callable[[Sequence[Run]], None],
        room: Callable[[], None],
    ) -> None:
        """`announce` makes of boot and time of the start this node; `tell` is services.outcomes.Outcomes.tell; `room` wakes the claimer.

        Raises Conflict when another process has the spool, or others could change it.
        """
        _take_over(spool_path)
        self._spool = _spool_at(spool_path)
        self._forker = Forker(self._spool)
        boot = f"{boot_id()} {self._spool_id(ids)}"
        announced = announce(boot, EPOCH)
        self._roster = Roster(announced.slots, announced.cpus, announced.mem)
        lease = Lease()
        self._starter = starter = Starter(self._spool, self._forker, runners, own_user())
        self._adoption = Adoption(store, self._spool, self._roster, tell=tell)
        beat = NodeBeat(
            store, clock, self._spool, lease, lambda now: announce(boot, now), running=lambda: len(self._roster), lapsed=self._lapsed
        )
        self._beat = beat
        self._is_ready = False
        observer = Observer(clock, store.output, starter.fork)
        self.reporter = Reporter(store, clock, self._spool, self._roster, observer, tell=tell, room=room)
        self.claimer = Claimer(
            store, ids, lease, self._roster, starter,
            node=lambda: beat.node if self._is_ready else None, ended_at_once=self.reporter.end_at_once, run_ended=tell,
            tidy=self._adoption.give_back,
        )  # fmt: skip
        self._room = room

    def run_once(self, now: datetime) -> datetime | None:
        """The beat, and what belongs to it."""
        next_at = self._beat.run_once(now)
        node = self._beat.node
        if node is None or not self._beat.is_accepted:
            return next_at
        if not self._is_ready:
            self._forker.prepare()
            self._adoption.adopt(node, now)
            self._is_ready = True
            self._room()
        self._starter.fork(())  # what a forker that died had not begun, another one begins
        return next_at

    def _lapsed(self) -> None:
        self._roster.fence()
        self.reporter.lapsed()

    def end(self) -> None:
        """After the loops have ended. Runs go on."""
        self._beat.end()
        self._forker.close()
        self._spool.close()

    def _spool_id(self, ids: Ids) -> str:
        """Tells this spool from one that was deleted, and with it all that ran."""
        path = self._spool.path / _ID
        if not path.exists():
            path.write_text(ids.nonce(), encoding="ascii")
        return path.read_text(encoding="ascii")
