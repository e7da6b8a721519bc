"""What --check-config says of what a configuration sets up, as the log does at each start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.config.conftest import Run

WSGI = "[wsgi]\nport = 4321\nauth_key = k3y\n"
NODE = "[node]\nname = alpha-1\nusers = nobody\n"
RUNNERS = "[runner:hello]\ntype = dummy\ntemplate = Hello\n[runner:power]\ntype = instance\nendpoint = http://cloud.example.com/\n"
HTTPS = "[runner:power]\ntype = instance\nendpoint = https://cloud.example.com/\n"
AWS = "[runner:cloud]\ntype = instance\naws = true\n"
ACCOUNTS = "[minion:spinup]\nrunners = hello, power\n[minion:other]\n"


@pytest.mark.parametrize(
    ("ini", "line"),
    [
        ("[moneta]\ndocroot = /srv/moneta-web\n", "Moneta's web client: /srv/moneta-web, at /gui/"),
        (
            "[moneta]\nbackup = /srv/tasks.yml\nbackup_format = yaml\n",
            "backup of tasks and options in Moneta's form: /srv/tasks.yml, as yaml",
        ),
        (f"{RUNNERS}{ACCOUNTS}", "Minion's accounts and their runners: spinup (hello, power), other (no runners)"),
        (f"{NODE}{RUNNERS}", "runners of this node: hello (dummy), power (instance)"),
    ],
)
def test_it_says_what_is_set_up(check: Run, ini: str, line: str) -> None:
    assert line in check(ini=f"{WSGI}{ini}").out.splitlines()


@pytest.mark.parametrize(("ini", "is_told"), [(RUNNERS, True), (ACCOUNTS, True), (f"{RUNNERS}{NODE}", False), ("", False)])
def test_it_says_where_runners_count_when_there_is_no_node_here(check: Run, ini: str, is_told: bool) -> None:
    told = "no [node] here: jobs run on nodes elsewhere, and their own settings must have the sections [runner:NAME]"
    ini = ini.replace("runners = hello, power\n", "")

    assert (told in check(ini=f"{WSGI}{ini}").out.splitlines()) is is_told


def test_it_misses_boto3_where_a_node_needs_it(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    fault = check(ini=f"{WSGI}{NODE}{AWS}").fault

    assert fault == "coal-mine.ini: [runner:cloud] aws: needs boto3, which is not installed; install coal-mine[aws]"


def test_it_does_not_miss_boto3_where_there_is_no_node(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)

    assert check(ini=f"{WSGI}{AWS}").status == 0


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("away.pem", "cannot be read: No such file or directory"),
        ("coal-mine.ini", "has no certificates in PEM form"),
    ],
)
def test_it_warns_of_a_node_that_lacks_the_certificates_of_a_runner(check: Run, tmp_path: Path, file: str, fault: str) -> None:
    ini = f"{WSGI}{NODE}{HTTPS}ca_certs = {file}\n"

    assert f"warning: [runner:power] ca_certs: {tmp_path}/{file} {fault}; all its runs fail here\n" in check(ini=ini).err


def test_it_looks_for_no_certificates_where_there_is_no_node(check: Run) -> None:
    ended = check(ini=f"{WSGI}{HTTPS}ca_certs = away.pem\n")

    assert (ended.status, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("ini", "warning"),
    [
        ("[wsgi]\nport = 4321\n", "NO KEY IS SET: whoever reaches this port may change and delete canaries; set [wsgi] auth_key"),
        (
            f"{WSGI}[moneta]\nopen_to = 10.1.0.0/16\n",
            "MONETA'S PATHS ARE OPEN WITHOUT A KEY: "
            "whoever calls from 10.1.0.0/16, and whoever a proxy there lets through, may run any command on the nodes",
        ),
        (f"{WSGI}[node]\nusers = stranger-1\n", "[node] users: this machine has no user stranger-1; jobs that run as stranger-1 fail here"),
    ],
)
def test_it_warns_as_the_start_does_and_is_content_nevertheless(check: Run, ini: str, warning: str) -> None:
    ended = check(ini=ini)

    assert (ended.status, ended.err) == (0, f"coal-mine: warning: {warning}\n")
