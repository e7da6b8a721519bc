"""Jobs that are no command, from the call that creates them to what their runners say; one server for all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.job_calls import JobCalls
from tests.support.aws import REGION, Aws, aws_in
from tests.support.cloud import Cloud
from tests.support.server import CoalMine

KEY = "right-key-7361"
INI = f"""
[wsgi]
host = 127.0.0.1
auth_key = {KEY}
[node]
[runner:hello]
type = dummy
template = Hello, {{{{.Account}}}}!
[runner:ec2]
type = instance
aws = true
region = {REGION}
access_key = AKIA1
secret_key = s3cret
[runner:power]
type = instance
token = s3cret
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as one:
        yield one


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with aws_in(tmp_path_factory.mktemp("aws")) as one:
        yield one


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, cloud: Cloud, aws: Aws) -> Iterator[JobCalls]:
    ini = f"{INI}endpoint_template = {cloud.url}/{{{{.Account}}}}/{{{{.InstanceID}}}}\n"
    with CoalMine(tmp_path_factory.mktemp("runners"), ini=ini, environ={"AWS_ENDPOINT_URL_EC2": aws.url}) as server:
        yield JobCalls(server, KEY)


def stopped(jobs: JobCalls, runner: str, instance: str) -> Any:
    """The run of a job that stops it."""
    details = {"instance_id": instance, "instance_action": "stop"}
    return jobs.run(jobs.created(namespace="acme", command="", runner="instance", runner_name=runner, details=details))


def output_of(jobs: JobCalls, run: dict[str, str]) -> str:
    return jobs.call("GET", f"/runs/{run['id']}/output").text


def test_a_job_stops_an_instance_by_http(jobs: JobCalls, cloud: Cloud) -> None:
    run = stopped(jobs, "power", "i-1")

    (asked,) = [each for each in cloud.asked if each.target == "/acme/i-1"]
    assert (run["state"], json.loads(asked.body), asked.headers["x-auth-token"]) == ("done", {"state": "stop"}, "s3cret")


def test_a_job_stops_an_instance_of_ec2(jobs: JobCalls, aws: Aws) -> None:
    instance = aws.new_instance()
    run = stopped(jobs, "ec2", instance)

    assert (run["state"], aws.state_of(instance)) == ("done", "stopped")


def test_a_job_greets_its_account(jobs: JobCalls) -> None:
    run = jobs.run(jobs.created(namespace="acme", command="", runner="dummy", runner_name="hello"))

    assert "Hello, acme!" in output_of(jobs, run)


def test_a_job_whose_runner_no_node_has_is_created_with_a_warning(jobs: JobCalls) -> None:
    job = jobs.created(command="", runner="dummy", runner_name="hullo")

    assert any("hullo" in warning for warning in job["warnings"])


def test_nodes_are_shown_with_their_runners(jobs: JobCalls) -> None:
    (node,) = jobs.call("GET", "/nodes").json()["nodes"]

    assert node["runners"] == ["ec2", "hello", "power"]


@pytest.mark.parametrize("runner", ["power", "ec2"])
def test_what_is_secret_does_not_reach_the_log(jobs: JobCalls, runner: str) -> None:
    stopped(jobs, runner, "i-2")

    assert "s3cret" not in jobs.server.log
