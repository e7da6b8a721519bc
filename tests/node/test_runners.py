"""Runs that call something else than a command."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from coal_mine.config import DummyRunner, HttpRunner, RunnerConfig
from coal_mine.domain.job import Job
from coal_mine.domain.output import Stream
from coal_mine.domain.run import Run, RunState
from coal_mine.node.agent.runners import Runners
from coal_mine.services.run_requests import RunRequest
from tests.support.agents import House, output_of
from tests.support.cloud import Cloud
from tests.support.jobs import Scene
from tests.support.waiting import PATIENCE, until

BY_HAND: list[Any] = []


def http(**settings: Any) -> HttpRunner:
    return HttpRunner(**{"endpoint": "", "endpoint_template": "", "token": "", "auth_header": "X-Auth-Token", "proxy": ""} | settings)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as one:
        yield one


@pytest.fixture
def runners(cloud: Cloud) -> dict[str, RunnerConfig]:
    return {
        "hello": DummyRunner(template="Hello, {{.Account}}!"),
        "typo": DummyRunner(template="Hello, {{.Acount}}!"),
        "power": http(endpoint_template=cloud.url + "/v1/{{.Account}}/instances/{{.InstanceID}}/power?now=1", token="s3cret"),
    }


@pytest.fixture
def house(scene: Scene, tmp_path: Path, runners: dict[str, RunnerConfig]) -> Iterator[House]:
    with House(scene, tmp_path / "nodes", runners=runners) as one:
        yield one


def started(house: House, **body: Any) -> Run:
    """A run by hand of a new job, as the node has claimed it."""
    job: Job = house.scene.job(**{"namespace": "acme", "runner": "instance", "runner_name": "power", "schedules": BY_HAND} | body)
    (run,) = house.scene.runs.start(job.id, RunRequest())
    house.claim()
    return house.scene.get(run)


def ended(house: House, **body: Any) -> Run:
    return house.ended(started(house, **body))


def asked_to(action: str, instance: str = "i-1") -> dict[str, str]:
    return {"instance_action": action, "instance_id": instance}


def hello(house: House, **body: Any) -> Run:
    return ended(house, **{"runner": "dummy", "runner_name": "hello", "command": "not this"} | body)


# dummy


def test_a_dummy_with_a_name_says_what_its_template_says_of_the_account(house: House) -> None:
    run = hello(house)

    assert (run.state, output_of(house.scene.store, run)) == (RunState.DONE, b"Hello, acme!")


def test_the_account_is_the_first_part_of_a_longer_namespace(house: House) -> None:
    assert output_of(house.scene.store, hello(house, namespace="acme/space-xy")) == b"Hello, acme!"


def test_a_dummy_without_a_name_says_its_command(house: House) -> None:
    assert output_of(house.scene.store, hello(house, runner_name="", command="plain")) == b"plain"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"namespace": ""}, "[runner:hello] of its node: {{.Account}} is empty"),
        ({"runner_name": "typo"}, "[runner:typo] of its node: '{{.Acount}}' is not known; there is {{.Account}}"),
        ({"runner_name": "power"}, "[runner:power] of its node is of type instance, not dummy"),
    ],
)
def test_a_dummy_that_has_nothing_to_say_has_failed(house: House, body: dict[str, Any], reason: str) -> None:
    run = hello(house, **body)

    assert (run.state, run.reason) == (RunState.FAILED, reason)


# instance


@pytest.mark.parametrize("action", ["start", "stop", "reboot"])
def test_an_instance_is_asked_for_by_its_account_and_id(house: House, cloud: Cloud, action: str) -> None:
    run = ended(house, details=asked_to(action, "i-aaaabbbb11112222"))

    assert (run.state, [each.target for each in cloud.asked]) == (RunState.DONE, ["/v1/acme/instances/i-aaaabbbb11112222/power?now=1"])
    assert json.loads(cloud.asked[0].body) == {"state": action}


def test_what_is_sent_is_json_with_the_token_in_its_header(house: House, cloud: Cloud) -> None:
    ended(house, details=asked_to("stop"))

    sent = cloud.asked[0].headers
    assert (sent["content-type"], sent["x-auth-token"]) == ("application/json", "s3cret")


def test_what_is_answered_is_the_output(house: House, cloud: Cloud) -> None:
    cloud.answer = b'{"state": "stopping"}\xff\x00'
    run = ended(house, details=asked_to("stop"))

    assert output_of(house.scene.store, run, Stream.STDOUT) == b'{"state": "stopping"}\xff\x00'
    assert output_of(house.scene.store, run, Stream.STDERR) == b""


@pytest.fixture
def private(scene: Scene, tmp_path: Path) -> Iterator[House]:
    """A node that may ask a cloud whose certificate is of an authority of its own, once told to trust it and once not."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Cloud(context) as cloud:
        runners = {
            "known": http(endpoint=cloud.url, ca_certs=tmp_path / "ca.pem"),
            "unknown": http(endpoint=cloud.url),
            "lacking": http(endpoint=cloud.url, ca_certs=tmp_path / "away.pem"),
        }
        with House(scene, tmp_path / "private", runners=runners) as one:
            yield one


def test_an_authority_of_ones_own_may_be_trusted(private: House) -> None:
    run = ended(private, runner_name="known", details=asked_to("stop"))

    assert output_of(private.scene.store, run) == b"done\n"


def test_the_certificate_of_an_unknown_authority_is_not_trusted(private: House) -> None:
    run = ended(private, runner_name="unknown", details=asked_to("stop"))

    assert run.state is RunState.FAILED
    assert b"certificate verify failed" in output_of(private.scene.store, run)


def test_a_run_says_which_certificates_its_node_lacks(private: House, tmp_path: Path) -> None:
    run = ended(private, runner_name="lacking", details=asked_to("stop"))
    told = f": on this node ca_certs {tmp_path}/away.pem cannot be read: No such file or directory\n"

    assert run.state is RunState.FAILED
    assert output_of(private.scene.store, run).endswith(told.encode())


def test_an_id_cannot_lead_to_another_place_of_the_endpoint(house: House, cloud: Cloud) -> None:
    ended(house, details=asked_to("stop", "../i-2/x?y#z"))

    assert cloud.asked[0].target == "/v1/acme/instances/..%2Fi-2%2Fx%3Fy%23z/power?now=1"


@pytest.mark.parametrize("status", [300, 500])
def test_an_answer_of_300_and_above_is_a_failure_that_says_why(house: House, cloud: Cloud, status: int) -> None:
    cloud.status, cloud.answer = status, b"no such instance" + b"." * 5_000
    run = ended(house, details=asked_to("stop"))

    told = output_of(house.scene.store, run, Stream.STDERR)
    assert (run.state, run.reason) == (RunState.FAILED, "exit status 1")
    assert told.startswith(f"PUT {cloud.url}/v1/acme/instances/i-1/power?now=1: {status} ".encode())
    assert b"\nno such instance..." in told
    assert len(told) < 4_500


def test_a_redirect_is_not_followed(house: House, cloud: Cloud) -> None:
    cloud.status, cloud.location = 307, cloud.url + "/elsewhere"
    run = ended(house, details=asked_to("stop"))

    assert len(cloud.asked) == 1
    assert b"/elsewhere; redirects are not followed, so give the final URL" in output_of(house.scene.store, run)


def test_the_answer_says_no_without_a_word_too(house: House, cloud: Cloud) -> None:
    cloud.status, cloud.answer = 404, b""
    run = ended(house, details=asked_to("stop"))

    assert output_of(house.scene.store, run).endswith(b"/power?now=1: 404 Not Found\n")


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({}, "details lacks instance_id"),
        ({"instance_id": "i-1"}, "details lacks instance_action"),
        ({"instance_id": "", "instance_action": "stop"}, "details lacks instance_id"),
        (asked_to("destroy"), "instance_action 'destroy' is none of start, stop, reboot"),
        (asked_to("stop", ".."), "'..' cannot be a part of a URL"),
    ],
)
def test_what_cannot_be_asked_for_is_not(house: House, cloud: Cloud, details: dict[str, str], reason: str) -> None:
    run = ended(house, details=details)

    assert (run.state, run.reason, cloud.asked) == (RunState.FAILED, reason, [])


def test_an_account_that_the_endpoint_needs_must_be_there(house: House, cloud: Cloud) -> None:
    run = ended(house, namespace="", details=asked_to("stop"))

    assert (run.state, run.reason) == (RunState.FAILED, "[runner:power] of its node: {{.Account}} is empty")


def test_a_runner_of_another_type_carries_out_nothing(house: House) -> None:
    run = ended(house, runner_name="hello", details=asked_to("stop"))

    assert (run.state, run.reason) == (RunState.FAILED, "[runner:hello] of its node is of type dummy, not instance")


def test_nobody_can_read_the_token_among_the_arguments(house: House, cloud: Cloud) -> None:
    cloud.may_answer.clear()
    run = started(house, details=asked_to("stop"))
    until("the call", lambda: cloud.asked)
    job = house.directories()[0].job()
    assert job is not None
    arguments = Path(f"/proc/{job.pid}/cmdline").read_bytes()
    cloud.may_answer.set()
    house.ended(run)

    assert b"coal_mine.node.programs.instance\0stop\0i-1\0" in arguments
    assert b"s3cret" not in arguments


def test_the_variables_of_a_job_have_no_say_in_what_is_called(house: House, cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(7)")
    run = ended(house, details=asked_to("stop"), env={"PYTHONPATH": str(tmp_path), "http_proxy": "http://127.0.0.1:1"})

    assert run.state is RunState.DONE


def test_what_lies_where_it_starts_is_no_module_of_the_program(scene: Scene, cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "requests.py").write_text("raise SystemExit(7)")
    job = scene.job(runner="instance", runner_name="power", details=asked_to("stop"), schedules=BY_HAND)
    (run,) = scene.runs.start(job.id, RunRequest())
    program = Runners({"power": http(endpoint=cloud.url)}, {}, sys.path).program_for(run)
    done = subprocess.run(program.argv, env=program.env, cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False)

    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_a_password_that_lies_in_the_servers_home_is_not_sent(scene: Scene, cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login u password p\n")
    environ = {"HOME": str(tmp_path)}
    with House(scene, tmp_path / "nodes", runners={"power": http(endpoint=cloud.url)}, environ=environ) as house:
        ended(house, details=asked_to("stop"))

    assert "authorization" not in cloud.asked[0].headers


def test_a_plain_endpoint_goes_before_the_template(scene: Scene, cloud: Cloud, tmp_path: Path) -> None:
    settings = {"power": http(endpoint=cloud.url + "/plain", endpoint_template=cloud.url + "/{{.InstanceID}}")}
    with House(scene, tmp_path / "nodes", runners=settings) as house:
        ended(house, details=asked_to("stop"))

    assert cloud.asked[0].target == "/plain"


def test_the_token_goes_into_the_header_that_the_section_names(scene: Scene, cloud: Cloud, tmp_path: Path) -> None:
    settings = {"power": http(endpoint=cloud.url, token="s3cret", auth_header="Auth-Token")}
    with House(scene, tmp_path / "nodes", runners=settings) as house:
        ended(house, details=asked_to("stop"))

    sent = cloud.asked[0].headers
    assert (sent["auth-token"], sent.get("x-auth-token")) == ("s3cret", None)


def test_a_proxy_of_the_section_is_asked_and_one_of_the_environment_is_not(scene: Scene, cloud: Cloud, tmp_path: Path) -> None:
    settings = {"power": http(endpoint="http://instances.example.test/power", proxy=cloud.url)}
    environ = {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "*"}
    with House(scene, tmp_path / "nodes", runners=settings, environ=environ) as house:
        run = ended(house, details=asked_to("stop"))

    assert (run.state, cloud.asked[0].target) == (RunState.DONE, "http://instances.example.test/power")


def test_an_endpoint_that_nobody_serves_is_a_failure_that_says_why(scene: Scene, tmp_path: Path) -> None:
    with House(scene, tmp_path / "nodes", runners={"power": http(endpoint="http://127.0.0.1:1/power")}) as house:
        run = ended(house, details=asked_to("stop"))

    assert output_of(scene.store, run) == b"PUT http://127.0.0.1:1/power: [Errno 111] Connection refused\n"


# As for commands


def test_a_call_that_takes_too_long_for_its_job_is_given_up(house: House, cloud: Cloud) -> None:
    cloud.may_answer.clear()
    run = ended(house, details=asked_to("stop"), timeout=1)

    assert (run.state, run.reason) == (RunState.FAILED, "timed out")


def test_a_call_can_be_killed(house: House, cloud: Cloud) -> None:
    cloud.may_answer.clear()
    run = started(house, details=asked_to("stop"))
    until("the call", lambda: cloud.asked)
    house.scene.runs.kill(run.id)

    assert house.ended(run).state is RunState.KILLED


def test_a_call_goes_on_when_the_agent_is_restarted(house: House, cloud: Cloud) -> None:
    cloud.may_answer.clear()
    run = started(house, details=asked_to("stop"))
    until("the call", lambda: cloud.asked)
    house.restart()
    cloud.may_answer.set()

    assert (house.ended(run).state, len(cloud.asked)) == (RunState.DONE, 1)


def test_a_call_that_failed_is_tried_again(house: House, cloud: Cloud) -> None:
    cloud.status = 503
    run = started(house, details=asked_to("stop"), retries={"max": 1, "wait": 0})
    house.until("the first failure", lambda: house.scene.get(run).state is RunState.RETRYING)
    cloud.status = 200
    house.claim()

    assert (house.ended(run).state, len(cloud.asked)) == (RunState.DONE, 2)


def test_a_node_tells_which_runners_it_has(house: House) -> None:
    assert house.scene.store.nodes.get("alpha").runners == ("hello", "typo", "power")
