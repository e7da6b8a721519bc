"""What a node's runners make of a run: a text, or a program of our own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from coal_mine.config import AwsRunner, DummyRunner, HttpRunner, RunnerConfig
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Runner
from coal_mine.domain.run import Run
from coal_mine.domain.template import filled
from coal_mine.node.programs.call import Call

from .forker import FOR_LIBRARIES

_PROGRAM = "coal_mine.node.programs.instance"
_ACTIONS = ("start", "stop", "reboot")
# Where boto3 looks for what the section does not say: variables, and files at home.
_AWS_PREFIX = "AWS_"
_HOME = "HOME"
# With keys of the section, none of these may stand beside them.
_OTHER_KEYS = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a supervisor is to start, as the node's own user. Of the job's variables it gets none: they could change what it does."""

    argv: tuple[str, ...]
    env: dict[str, str]


class Runners:
    def __init__(self, configs: Mapping[str, RunnerConfig], environ: Mapping[str, str], path: Sequence[str]) -> None:
        """Variables and module path are this process's: a program of ours finds the same modules, and gets what boto3 looks for."""
        self._configs = configs
        self._environ = environ
        self._path = os.pathsep.join(directory for directory in path if directory)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._configs))

    def text_for(self, run: Run) -> str:
        """What a dummy says. Raises Invalid."""
        name = run.definition.runner_name
        config = self._configs.get(name)
        if not isinstance(config, DummyRunner):
            raise self._unfit(name, config, Runner.DUMMY)
        return self._filled(name, config.template, {"Account": _account(run)})

    def program_for(self, run: Run) -> Program:
        """What carries out the action that the run's details name. Raises Invalid."""
        name = run.definition.runner_name
        config = self._configs.get(name)
        if not isinstance(config, HttpRunner | AwsRunner):
            raise self._unfit(name, config, Runner.INSTANCE)
        action, instance = _order_in(run)
        env = {"PYTHONPATH": self._path}
        env |= {variable: self._environ[variable] for variable in (*FOR_LIBRARIES, _HOME) if variable in self._environ}
        if isinstance(config, HttpRunner):
            call = Call(
                action=action, instance=instance, url=self._url(name, config, run, instance), token=config.token,
                token_header=config.auth_header, ca_certs=str(config.ca_certs or ""), proxy=config.proxy,
            )  # fmt: skip
        else:
            call = Call(action=action, instance=instance, region=config.region, proxy=config.proxy)
            env |= self._for_boto3(config)
        # -P: what lies in the directory in which it starts is nothing that it may import.
        argv = (sys.executable, "-P", "-X", "utf8", "-m", _PROGRAM, action, instance)
        return Program(argv=argv, env={**env, **call.to_environment()})

    def _url(self, name: str, config: HttpRunner, run: Run, instance: str) -> str:
        if config.endpoint:
            return config.endpoint
        values = {"Account": _account(run), "InstanceID": instance}
        return self._filled(name, config.endpoint_template, {known: _one_step(value) for known, value in values.items()})

    @staticmethod
    def _filled(name: str, template: str, values: Mapping[str, str]) -> str:
        try:
            return filled(template, values)
        except Invalid as error:
            raise Invalid(f"[runner:{name}] of its node: {error}") from error

    def _for_boto3(self, config: AwsRunner) -> dict[str, str]:
        env = {variable: text for variable, text in self._environ.items() if variable.startswith(_AWS_PREFIX)}
        if config.access_key:
            env = {variable: text for variable, text in env.items() if variable not in _OTHER_KEYS}
            env |= {"AWS_ACCESS_KEY_ID": config.access_key, "AWS_SECRET_ACCESS_KEY": config.secret_key}
        return env

    @staticmethod
    def _unfit(name: str, config: RunnerConfig | None, wanted: Runner) -> Invalid:
        if config is None:
            return Invalid(f"its node has no section [runner:{name}]")
        return Invalid(f"[runner:{name}] of its node is of type {config.runner}, not {wanted}")


def _account(run: Run) -> str:
    """The first part of the job's namespace; empty: it has none."""
    first, colon, _ = run.job_id.partition(":")
    return first if colon else ""


def _order_in(run: Run) -> tuple[str, str]:
    details = dict(run.definition.details)
    for needed in ("instance_id", "instance_action"):
        if not details.get(needed):
            raise Invalid(f"details lacks {needed}")
    action = details["instance_action"]
    if action not in _ACTIONS:
        raise Invalid(f"instance_action {action[:100]!r} is none of {', '.join(_ACTIONS)}")
    return action, details["instance_id"]


def _one_step(value: str) -> str:
    """As one part of a URL's path, so that no id leads anywhere else than the operator's template does."""
    if value and not value.strip("."):
        raise Invalid(f"{value[:100]!r} cannot be a part of a URL")
    return quote(value, safe="")
