"""The node that a process is, if it is one."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec

from coal_mine import __version__
from coal_mine.background.loop import Loop
from coal_mine.config import AwsRunner, Config, HttpRunner, NodeConfig, RunnerConfig
from coal_mine.domain.errors import CoalMineError
from coal_mine.domain.node import ANYBODY, BEAT, Node
from coal_mine.domain.ports import Clock, Ids, Store
from coal_mine.domain.run import Run
from coal_mine.node.agent.agent import Agent, check_spool, own_user
from coal_mine.node.agent.runners import Runners
from coal_mine.node.programs.trust import fault_of_certificates

_BEAT, _CLAIMER, _REPORTER = "node-beat", "node-claimer", "node-reporter"
# The claimer sleeps until the next tick that it knows of, and looks for others so often.
_LOOK = timedelta(milliseconds=500)


class NodeParts:
    def __init__(self, config: Config, store: Store, clock: Clock, ids: Ids, tell: Callable[[Sequence[Run]], None]) -> None:
        """`tell` is services.outcomes.Outcomes.tell. Raises Conflict when another process is this node."""
        assert config.node is not None  # noqa: S101 - whoever has none makes no node
        settings = config.node
        runners = Runners(config.runners, os.environ, sys.path)
        self._agent = Agent(
            store, clock, ids, config.spool_path, lambda boot, now: _announced(settings, runners.names, boot, now), runners,
            tell=tell, room=self.wake,
        )  # fmt: skip
        self._claimer = Loop(_CLAIMER, self._agent.claimer, clock, max_sleep=_LOOK)
        self.loops = [Loop(_BEAT, self._agent, clock, max_sleep=BEAT), self._claimer, Loop(_REPORTER, self._agent.reporter, clock)]

    def wake(self) -> None:
        """There may be something to run that was not known of."""
        self._claimer.wake()

    def end(self) -> None:
        """After the loops have ended."""
        self._agent.end()


def check_node(config: Config) -> None:
    """Find faults while they can still be told in one line. Raises CoalMineError."""
    check_aws(config)
    try:
        check_spool(config.spool_path)
    except OSError as error:
        raise CoalMineError(f"{config.source}: [node] spool: {error.filename or config.spool_path}: {error.strerror}") from error
    except CoalMineError as error:
        raise CoalMineError(f"{config.source}: [node] spool: {error}") from error


def check_aws(config: Config) -> None:
    """The same, without touching anything."""
    for name, runner in config.runners.items():
        if isinstance(runner, AwsRunner) and find_spec("boto3") is None:
            raise CoalMineError(f"{config.source}: [runner:{name}] aws: needs boto3, which is not installed; install coal-mine[aws]")


def warnings_of_runners(runners: Mapping[str, RunnerConfig]) -> Iterator[str]:
    """No more than warnings: runs that fail are told of, and whatever else this process does goes on."""
    for name, runner in runners.items():
        if isinstance(runner, HttpRunner) and runner.ca_certs:
            fault = fault_of_certificates(str(runner.ca_certs))
            if fault:
                yield f"[runner:{name}] ca_certs: {runner.ca_certs} {fault}; all its runs fail here"


def warnings_of_users(settings: NodeConfig) -> Iterator[str]:
    """Whoever may create jobs may do whatever their users may."""
    if settings.users[0] == "root":
        yield "jobs that name no other user run AS ROOT on this node; name others in [node] users"
    elif "root" in settings.users:
        yield "jobs that ask for it run AS ROOT on this node, as [node] users says"
    for user in settings.users:
        if user not in (ANYBODY, own_user()) and not _exists(user):
            yield f"[node] users: this machine has no user {user}; jobs that run as {user} fail here"


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _announced(settings: NodeConfig, runners: tuple[str, ...], boot: str, now: datetime) -> Node:
    return Node(
        name=settings.name,
        pools=settings.pools,
        users=settings.users,
        runners=runners,
        timezone=settings.timezone,
        slots=settings.slots,
        cpus=settings.cpus,
        mem=settings.mem,
        host=socket.gethostname(),
        pid=os.getpid(),
        boot=boot,
        version=__version__,
        started_at=now,
        seen_at=now,
    )
