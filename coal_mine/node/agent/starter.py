"""From a claimed run to its process."""

from __future__ import annotations

import hashlib
import logging
import os
import pwd
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import OnLost, Runner
from coal_mine.domain.node import ANYBODY, Node
from coal_mine.domain.run import End, Result, Run
from coal_mine.domain.times import isoformat
from coal_mine.node.spool.record import Spec
from coal_mine.node.spool.spool import Spool

from .forker import Forker
from .roster import Tracked
from .runners import Runners

_log = logging.getLogger(__name__)

# While these are forked, the directories of the next ones are made.
_TOGETHER = 10


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A run that ended here: it cannot be started, or needs no process."""

    run: Run
    result: Result
    output: bytes = b""


def _uid_of(user: str) -> int:
    return pwd.getpwnam(user).pw_uid


class Starter:
    def __init__(self, spool: Spool, forker: Forker, runners: Runners, own_user: str, *, uid_of: Callable[[str], int] = _uid_of) -> None:
        """`own_user` is as whom this process runs. `uid_of` asks the system, and raises KeyError."""
        self._spool = spool
        self._forker = forker
        self._runners = runners
        self._own_user = own_user
        self._uid_of = uid_of
        self._forking = threading.Lock()  # the claimer starts runs, and the reporter those that were forgotten

    def start(self, runs: Sequence[Run], node: Node, now: datetime, track: Callable[[Tracked], None]) -> list[NotStarted]:
        """Returns when the forker has its orders; what became of them is told by the bell.

        Each is tracked before: whatever happens then, somebody looks after it.
        """
        others: list[NotStarted] = []
        for begin in range(0, len(runs), _TOGETHER):
            made = [self._make(run, node, now) for run in runs[begin : begin + _TOGETHER]]
            ready = [each for each in made if isinstance(each, Tracked)]
            for tracked in ready:
                track(tracked)
            self.fork(ready)
            others += [each for each in made if isinstance(each, NotStarted)]
        return others

    def fork(self, tracked: Iterable[Tracked]) -> None:
        """Harmless for those that run already. What cannot be forked now is asked for again by whoever looks after it."""
        with self._forking:
            try:
                self._forker.start(each.directory for each in tracked)
            except OSError as error:
                _log.error("no run can be started at the moment: %s", error, extra={"action": "fork_failed"})

    def _make(self, run: Run, node: Node, now: datetime) -> Tracked | NotStarted:
        try:
            if run.definition.runner is Runner.DUMMY:
                output = self._said_by(run).encode()
                return NotStarted(run, Result(end=End.EXITED, exit_code=0, started_at=now, ended_at=now, stdout_bytes=len(output)), output)
            return Tracked(run, self._spool.create(directory_name(run), self._spec(run, node)))
        except Invalid as error:
            return NotStarted(run, Result(end=End.NOT_STARTED, started_at=None, ended_at=now, error=str(error)))
        except OSError as error:
            why = f"the node's spool takes no more runs: {error.strerror}"
            return NotStarted(run, Result(end=End.NOT_STARTED, started_at=None, ended_at=now, error=why))

    def _said_by(self, run: Run) -> str:
        """Raises Invalid."""
        if run.definition.runner_name:
            return self._runners.text_for(run)
        text = _command(run)
        return text if isinstance(text, str) else " ".join(text)

    def _spec(self, run: Run, node: Node) -> Spec:
        """Raises Invalid."""
        definition = run.definition
        if definition.secrets:
            raise Invalid(f"secret {definition.secrets[0][0]} cannot be read: this node has no source of secrets")
        if definition.runner is Runner.INSTANCE:
            program = self._runners.program_for(run)
            return replace(_bare_spec(run), argv=program.argv, env=program.env)
        user = self._user(definition.user, node)
        command = _command(run)
        argv = ("/bin/sh", "-c", command) if isinstance(command, str) and not definition.script else command
        return replace(
            _bare_spec(run),
            argv=tuple(argv),
            script=definition.script or None,
            workdir=definition.workdir or None,
            env=_variables(run),
            user=None if user == self._own_user else user,
            group=definition.group or None,
        )

    def _user(self, wanted: str, node: Node) -> str:
        """A job that names nobody runs as the first whom the node lists."""
        user = wanted or next((name for name in node.users if name != ANYBODY), self._own_user)
        if not node.may_run_as(user):
            raise Invalid(f"node {node.name} may not run jobs as {user}")
        if self._uid(user, node) == 0 and not {user, "root"}.intersection(node.users):
            raise Invalid(f"node {node.name} may not run jobs as {user}: that is root by another name")
        return user

    def _uid(self, user: str, node: Node) -> int:
        if user == self._own_user:  # who may have a number only, as in many containers
            return os.geteuid()
        try:
            return self._uid_of(user)
        except KeyError:
            raise Invalid(f"there is no user {user} on node {node.name}") from None


def directory_name(run: Run) -> str:
    """Of one attempt. An id may be longer than a name in a file system."""
    return f"{hashlib.sha256(run.id.encode()).hexdigest()[:32]}-{run.epoch}"


def _bare_spec(run: Run) -> Spec:
    """Of nothing yet, as this process's user."""
    definition = run.definition
    return Spec(
        run_id=run.id,
        epoch=run.epoch,
        timeout_seconds=definition.timeout_seconds,
        kill_wait_seconds=definition.kill_wait_seconds,
        fenced=definition.on_lost is OnLost.RERUN,
    )


def _command(run: Run) -> str | tuple[str, ...]:
    return run.definition.command if run.command is None else run.command


def _variables(run: Run) -> dict[str, str]:
    defaults = {each.name: each.default for each in run.definition.parameters if each.default is not None}
    own = {
        "JOB_ID": run.job_id,
        "JOB_NAME": run.definition.name,
        "JOB_RUN_ID": run.id,
        "JOB_ATTEMPT": str(run.attempt),
        "JOB_EPOCH": str(run.epoch),
        "JOB_SCHEDULED_AT": isoformat(run.tick),
        "JOB_NODE": run.node,
    }
    return {**dict(run.definition.env), **defaults, **dict(run.parameters), **own}
