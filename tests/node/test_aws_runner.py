"""Instances of EC2 that AWS itself is asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coal_mine.config import AwsRunner, HttpRunner, load
from coal_mine.domain.errors import CoalMineError
from coal_mine.domain.output import Stream
from coal_mine.domain.run import Run, RunState
from coal_mine.main.node_parts import check_node
from coal_mine.node.agent.runners import Program, Runners
from coal_mine.services.run_requests import RunRequest
from tests.support.agents import House, output_of
from tests.support.aws import REGION, Aws, aws_in
from tests.support.jobs import Scene

KEYS = AwsRunner(region=REGION, access_key="AKIA1", secret_key="s3cret", proxy="")
BARE = AwsRunner(region="", access_key="", secret_key="", proxy="")
BY_HAND: list[Any] = []


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with aws_in(tmp_path_factory.mktemp("aws")) as one:
        yield one


def asked(scene: Scene, instance: str, action: str) -> Run:
    details = {"instance_id": instance, "instance_action": action}
    job = scene.job(runner="instance", runner_name="cloud", details=details, schedules=BY_HAND)
    (run,) = scene.runs.start(job.id, RunRequest())
    return run


def ended(scene: Scene, directory: Path, instance: str, action: str, runner: AwsRunner, **environ: str) -> Run:
    """On a node of a server that has these variables."""
    run = asked(scene, instance, action)
    with House(scene, directory / "nodes", runners={"cloud": runner}, environ=environ) as house:
        house.claim()
        return house.ended(run)


def failure(scene: Scene, run: Run) -> str:
    """What it says of it."""
    assert (run.state, run.reason) == (RunState.FAILED, "exit status 1")
    return output_of(scene.store, run, Stream.STDERR).decode()


def program(scene: Scene, runner: AwsRunner | HttpRunner, **environ: str) -> Program:
    return Runners({"cloud": runner}, environ, []).program_for(asked(scene, "i-1", "stop"))


def test_an_instance_is_stopped(scene: Scene, tmp_path: Path, aws: Aws) -> None:
    instance = aws.new_instance()
    run = ended(scene, tmp_path, instance, "stop", KEYS, AWS_ENDPOINT_URL_EC2=aws.url)

    assert (run.state, aws.state_of(instance)) == (RunState.DONE, "stopped")


def test_an_instance_is_started(scene: Scene, tmp_path: Path, aws: Aws) -> None:
    instance = aws.new_instance()
    aws.client.stop_instances(InstanceIds=[instance])
    run = ended(scene, tmp_path, instance, "start", KEYS, AWS_ENDPOINT_URL_EC2=aws.url)

    assert (run.state, aws.state_of(instance)) == (RunState.DONE, "running")


def test_an_instance_is_rebooted(scene: Scene, tmp_path: Path, aws: Aws) -> None:
    run = ended(scene, tmp_path, aws.new_instance(), "reboot", KEYS, AWS_ENDPOINT_URL_EC2=aws.url)

    assert (run.state, output_of(scene.store, run)) == (RunState.DONE, b"{}\n")


def test_the_output_is_what_aws_answers(scene: Scene, tmp_path: Path, aws: Aws) -> None:
    instance = aws.new_instance()
    run = ended(scene, tmp_path, instance, "stop", KEYS, AWS_ENDPOINT_URL_EC2=aws.url)

    (stopping,) = json.loads(output_of(scene.store, run))["StoppingInstances"]
    assert (stopping["InstanceId"], stopping["PreviousState"]["Name"]) == (instance, "running")


def test_an_instance_that_aws_does_not_know_is_a_failure_in_its_words(scene: Scene, tmp_path: Path, aws: Aws) -> None:
    run = ended(scene, tmp_path, "i-0123456789abcdef0", "stop", KEYS, AWS_ENDPOINT_URL_EC2=aws.url)

    assert failure(scene, run) == (
        "stop i-0123456789abcdef0: An error occurred (InvalidInstanceID.NotFound) when calling the StopInstances operation: "
        "The instance ID 'i-0123456789abcdef0' does not exist\n"
    )


def test_keys_and_region_are_found_in_the_servers_home(scene: Scene, tmp_path: Path, aws: Aws) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    (tmp_path / ".aws/config").write_text(f"[default]\nregion = {REGION}\n")
    run = ended(scene, tmp_path, aws.new_instance(), "stop", BARE, AWS_ENDPOINT_URL_EC2=aws.url, HOME=str(tmp_path))

    assert run.state is RunState.DONE


def test_a_region_that_nobody_has_said_is_a_failure(scene: Scene, tmp_path: Path) -> None:
    run = ended(scene, tmp_path, "i-1", "stop", BARE, HOME=str(tmp_path))

    assert failure(scene, run) == "stop i-1: You must specify a region.\n"


def test_keys_that_nobody_has_given_are_a_failure(scene: Scene, tmp_path: Path) -> None:
    nowhere = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    run = ended(scene, tmp_path, "i-1", "stop", replace(BARE, region=REGION), **nowhere)

    assert failure(scene, run) == "stop i-1: Unable to locate credentials\n"


def test_a_proxy_of_the_section_is_asked(scene: Scene, tmp_path: Path) -> None:
    runner = replace(KEYS, proxy="http://u:hidden@127.0.0.1:1")
    run = ended(scene, tmp_path, "i-1", "stop", runner, AWS_MAX_ATTEMPTS="1")
    told = failure(scene, run)

    assert "proxy" in told
    assert "hidden" not in told


def test_a_node_that_has_lost_boto3_says_so(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError('no module')")
    monkeypatch.syspath_prepend(str(tmp_path))
    run = ended(scene, tmp_path, "i-1", "stop", KEYS)

    assert failure(scene, run) == "boto3 is missing on this node (no module); install coal-mine[aws] there\n"


def test_a_server_without_boto3_does_not_start_a_node_that_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ini = tmp_path / "coal-mine.ini"
    ini.write_text("[node]\n[runner:cloud]\ntype = instance\naws = true\n")
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(CoalMineError) as refusal:
        check_node(load(ini, {}))

    assert str(refusal.value) == f"{ini}: [runner:cloud] aws: needs boto3, which is not installed; install coal-mine[aws]"


def test_the_region_of_the_section_counts_whatever_the_server_has(scene: Scene, tmp_path: Path, aws: Aws) -> None:
    elsewhere = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    run = ended(scene, tmp_path, aws.new_instance(), "stop", KEYS, AWS_ENDPOINT_URL_EC2=aws.url, **elsewhere)

    assert run.state is RunState.DONE


def test_keys_of_the_section_stand_alone(scene: Scene) -> None:
    env = program(scene, KEYS, AWS_ACCESS_KEY_ID="x", AWS_SESSION_TOKEN="x", AWS_PROFILE="x", AWS_CA_BUNDLE="/ca.pem").env
    env = {name: text for name, text in env.items() if name.startswith("AWS_")}

    assert env == {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_CA_BUNDLE": "/ca.pem"}


def test_without_keys_of_the_section_those_of_the_server_count(scene: Scene) -> None:
    env = program(scene, BARE, AWS_PROFILE="ops", AWS_REGION="us-east-1").env

    assert (env["AWS_PROFILE"], env["AWS_REGION"]) == ("ops", "us-east-1")


def test_other_variables_of_the_server_are_not_handed_on(scene: Scene) -> None:
    assert "WSGI_AUTH_KEY" not in program(scene, BARE, WSGI_AUTH_KEY="s3cret").env


def test_the_servers_keys_of_aws_are_for_nobody_else(scene: Scene) -> None:
    runner = HttpRunner(endpoint="http://127.0.0.1:1/", endpoint_template="", token="", auth_header="X-Auth-Token", proxy="")

    assert "AWS_SECRET_ACCESS_KEY" not in program(scene, runner, AWS_SECRET_ACCESS_KEY="s3cret").env


def test_what_is_secret_is_not_among_the_arguments(scene: Scene) -> None:
    assert not any("s3cret" in argument for argument in program(scene, KEYS).argv)
