"""[runner:NAME]."""

from __future__ import annotations

from pathlib import Path

import pytest

from coal_mine.config import AwsRunner, Config, DummyRunner, HttpRunner, load
from coal_mine.domain.errors import Invalid

HTTP = "[runner:x]\ntype = instance\nendpoint = https://cloud.example.com/power\n"
KNOWN = "is not known; there is {{.Account}} and {{.InstanceID}}"
AWS = "[runner:x]\ntype = instance\naws = true\n"


def loaded(directory: Path, text: str) -> Config:
    path = directory / "coal-mine.ini"
    path.write_text(f"[sqlite]\npath = {directory}/cm.sqlite3\n{text}")
    return load(path, {})


def test_there_are_no_runners_unless_said(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").runners == {}


def test_runners_are_known_by_the_names_of_their_sections(tmp_path: Path) -> None:
    config = loaded(tmp_path, f"[runner:Hello]\ntype = dummy\ntemplate = Hello, {{{{.Account}}}}!\n{HTTP}")

    assert list(config.runners) == ["Hello", "x"]
    assert config.runners["Hello"] == DummyRunner(template="Hello, {{.Account}}!")


def test_an_instance_runner_sends_its_token_as_minion_does_unless_said(tmp_path: Path) -> None:
    config = loaded(tmp_path, HTTP + "token = s3cret\n")

    assert config.runners["x"] == HttpRunner(
        endpoint="https://cloud.example.com/power", endpoint_template="", token="s3cret", auth_header="X-Auth-Token", proxy=""
    )


def test_an_instance_runner_is_read_as_it_is_written(tmp_path: Path) -> None:
    template = "http://cloud.example.com/v1/{{.Account}}/instances/{{ .InstanceID }}/power"
    config = loaded(
        tmp_path,
        f"[runner:x]\ntype = instance\nendpoint_template = {template}\nauth_header = Auth-Token\nproxy = http://u:p@proxy.example.com:3128\n",
    )

    assert config.runners["x"] == HttpRunner(
        endpoint="", endpoint_template=template, token="", auth_header="Auth-Token", proxy="http://u:p@proxy.example.com:3128"
    )


def test_a_runner_of_aws_is_read_as_it_is_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, AWS + "region = eu-central-1\naccess_key = AKIA1\nsecret_key = s3cret\n")

    assert config.runners["x"] == AwsRunner(region="eu-central-1", access_key="AKIA1", secret_key="s3cret", proxy="")


def test_what_a_runner_of_aws_does_not_say_is_left_to_boto3(tmp_path: Path) -> None:
    assert loaded(tmp_path, AWS).runners["x"] == AwsRunner(region="", access_key="", secret_key="", proxy="")


@pytest.mark.parametrize("secret", ["token = s3cret", "proxy = http://u:s3cret@proxy.example.com:3128"])
def test_what_is_secret_is_not_shown_with_the_configuration(tmp_path: Path, secret: str) -> None:
    assert "s3cret" not in repr(loaded(tmp_path, f"{HTTP}{secret}\n"))


def test_the_keys_of_aws_are_not_shown_with_the_configuration(tmp_path: Path) -> None:
    assert "s3cret" not in repr(loaded(tmp_path, f"{AWS}access_key = s3cret-id\nsecret_key = s3cret\n"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[runner:x]\n", "[runner:x] type: missing; it is dummy or instance"),
        ("[runner:x]\ntype = command\n", "[runner:x] type: 'command' is none of dummy, instance"),
        ("[runner:x]\ntype = dummy\n", "[runner:x] template: missing; give the text that is its output, such as Hello, {{.Account}}!"),
        (
            "[runner:x]\ntype = dummy\ntemplate = Hi, {{.Acount}}!\n",
            "[runner:x] template: '{{.Acount}}' is not known; there is {{.Account}}",
        ),
        (
            "[runner:x]\ntype = dummy\ntemplate = {{.InstanceID}}\n",
            "[runner:x] template: '{{.InstanceID}}' is not known; there is {{.Account}}",
        ),
        ("[runner:x]\ntype = dummy\ntemplate = a\ntoken = b\n", "[runner:x] token: unknown setting; [runner:x] knows type, template"),
        ("[runner:x]\ntype = instance\n", "[runner:x] endpoint: missing; give the URL to call, or endpoint_template, or aws = true"),
        (
            HTTP + "tokn = a\n",
            "[runner:x] tokn: unknown setting; [runner:x] knows "
            "type, aws, endpoint, endpoint_template, token, auth_header, ca_certs, proxy",
        ),
        (HTTP + "region = a\n", "[runner:x] region: goes with aws = true"),
        (HTTP + "aws = perhaps\n", "[runner:x] aws: 'perhaps' is neither true nor false"),
        (HTTP + "auth_header = a b\n", "[runner:x] auth_header: 'a b' is not the name of a header, such as X-Auth-Token"),
        (
            "[runner:x]\ntype = instance\nendpoint = http://x/\nca_certs = /etc/passwd\n",
            "[runner:x] ca_certs: there is nothing to trust where the URL does not begin with https",
        ),
        (AWS + "ca_certs = /etc/passwd\n", "[runner:x] ca_certs: does not go with aws = true, which calls AWS itself"),
        (AWS + "token = a\n", "[runner:x] token: does not go with aws = true, which calls AWS itself"),
        (AWS + "region = Mars!\n", "[runner:x] region: 'Mars!' is not a region such as eu-central-1"),
        (AWS + "access_key = a\n", "[runner:x] secret_key: missing; access_key and secret_key belong together"),
        (AWS + "secret_key = a\n", "[runner:x] access_key: missing; access_key and secret_key belong together"),
        (AWS + "keys = a\n", "[runner:x] keys: unknown setting; [runner:x] knows type, aws, region, access_key, secret_key, proxy"),
        ("[runner]\ntype = dummy\n", "[runner]: unknown section; there are "),
        (
            "[runner:]\ntype = dummy\n",
            "[runner:]: '' is not a name of up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit",
        ),
        (
            "[runner:a b]\ntype = dummy\n",
            "[runner:a b]: 'a b' is not a name of up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit",
        ),
        ("[wsgi:x]\nport = 1\n", "[wsgi:x]: unknown section; there are "),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(Invalid) as refusal:
        loaded(tmp_path, text)

    assert str(refusal.value).startswith(f"{tmp_path}/coal-mine.ini: {fault}")


@pytest.mark.parametrize(
    "url", ["https://{{.InstanceID}}/s3cret", "https://{{.Account}}.example.com/s3cret", "http://x{{.Account}}?s3cret"]
)
def test_a_job_cannot_choose_the_host_that_gets_the_token(tmp_path: Path, url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        loaded(tmp_path, f"[runner:x]\ntype = instance\nendpoint_template = {url}\n")

    told = "has a place before its path; whoever writes jobs could choose the host that gets the token"
    assert str(refusal.value) == f"{tmp_path}/coal-mine.ini: [runner:x] endpoint_template: {told}"


def test_places_behind_the_host_are_allowed(tmp_path: Path) -> None:
    template = "https://cloud.example.com:8443/{{.Account}}/i?id={{.InstanceID}}"
    runner = loaded(tmp_path, f"[runner:x]\ntype = instance\nendpoint_template = {template}\n").runners["x"]

    assert isinstance(runner, HttpRunner)
    assert runner.endpoint_template == template


def test_a_file_of_certificates_is_for_nodes_and_found_wherever_its_reader_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = loaded(tmp_path, HTTP + "ca_certs = ca.pem\n").runners["x"]

    assert isinstance(runner, HttpRunner)
    assert runner.ca_certs == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("endpoint = cloud/s3cret", "endpoint: not a URL such as https://cloud.example.com/instances/i-1/power"),
        ("endpoint = https://u:s3cret@cloud/", "endpoint: has a name or a password before the host; give a token instead"),
        ("endpoint_template = ftp://x/s3cret", "endpoint_template: not a URL such as https://cloud.example.com/instances/i-1/power"),
        ("endpoint_template = http://x/s3cret/{{.Id}}", f"endpoint_template: '{{{{.Id}}}}' {KNOWN}"),
        ("endpoint_template = http://x/s3cret/{{.Account", f"endpoint_template: '{{{{.Account' {KNOWN}"),
        ("token = s3cret\u20ac", "token: has characters that no header can carry; ASCII letters, digits and signs can be sent"),
        ("proxy = s3cret", "proxy: not a URL such as http://proxy.example.com:3128"),
    ],
)  # fmt: skip
def test_a_mistake_in_what_may_hold_a_secret_does_not_quote_it(tmp_path: Path, setting: str, fault: str) -> None:
    with pytest.raises(Invalid) as refusal:
        loaded(tmp_path, f"[runner:x]\ntype = instance\n{setting}\n")

    assert str(refusal.value) == f"{tmp_path}/coal-mine.ini: [runner:x] {fault}"
