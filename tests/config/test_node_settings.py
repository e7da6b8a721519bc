"""[node] and [jobs]."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from coal_mine.config import Config, JobsConfig, NodeConfig, load
from coal_mine.config.machine import own_timezone
from coal_mine.config.node import host_as_name
from coal_mine.domain.errors import Invalid
from coal_mine.main.node_parts import warnings_of_users

FULL = """
[node]
name = alpha-1
pools = batch, default batch
users = backup *
timezone = Europe/Paris
slots = 7
cpus = 2.5
mem = 4096
spool = /run/coal-mine
[jobs]
keep_days = 7
lost_after_hours = 48
"""

NAME_RULE = "up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit"


def loaded(directory: Path, text: str) -> Config:
    path = directory / "coal-mine.ini"
    path.write_text(f"[sqlite]\npath = {directory}/cm.sqlite3\n{text}")
    return load(path, {})


def test_a_node_is_read_as_it_is_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, FULL)

    assert config.node == NodeConfig(
        name="alpha-1", pools=("batch", "default"), users=("backup", "*"), timezone="Europe/Paris", slots=7, cpus=2.5, mem=4096,
        spool=Path("/run/coal-mine"),
    )  # fmt: skip
    assert config.jobs == JobsConfig(keep=timedelta(days=7), lost_after=timedelta(hours=48))


def test_each_node_has_a_spool_of_its_own_where_the_setting_says(tmp_path: Path) -> None:
    assert loaded(tmp_path, FULL).spool_path == Path("/run/coal-mine/alpha-1")


def test_a_spool_is_beside_the_file_of_the_store_unless_said(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[node]\nname = alpha-1\n").spool_path == tmp_path / "nodes" / "alpha-1"


def test_an_ini_without_the_section_makes_no_node(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").node is None


def test_runs_are_kept_for_a_month_and_waited_for_for_a_day_unless_said(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").jobs == JobsConfig(keep=timedelta(days=30), lost_after=timedelta(days=1))


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("name = any", "name: 'any' cannot be a node's name: it stands for every node"),
        ("name = a b", f"name: 'a b' is not a name of {NAME_RULE}"),
        (
            "pools = a/b",
            f"pools: 'a/b' is no list of pools: 'a/b' is not a name of {NAME_RULE}",
        ),
        ("pools = ,", "pools: ',' names nothing"),
        ("users = -x", "users: '-x' is no list of users: '-x' is neither a user's name nor *"),
        ("spool = spool", "spool: 'spool' is not an absolute path"),
        ("spool = /etc/passwd/spool", "spool: '/etc/passwd/spool' is not a directory, nor can it be made one"),
        ("slots = 0", "slots: '0' is not a whole number from 1 to 100000"),
        ("cpus = 0", "cpus: '0' is not a number above 0 and up to 1000000000"),
        ("mem = nan", "mem: 'nan' is not a number above 0 and up to 1000000000"),
        ("pool = default", "pool: unknown setting; [node] knows name, pools, users, timezone, slots, cpus, mem, spool"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, setting: str, fault: str) -> None:
    with pytest.raises(Invalid) as refusal:
        loaded(tmp_path, f"[node]\n{setting}\n")

    assert str(refusal.value) == f"{tmp_path}/coal-mine.ini: [node] {fault}"


def test_a_zone_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"\[node\] timezone: 'Mars/Base' is not a time zone"):
        loaded(tmp_path, "[node]\ntimezone = Mars/Base\n")


def test_schedules_without_a_zone_are_read_in_that_of_the_node(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[node]\ntimezone = Asia/Tokyo\n").timezone == "Asia/Tokyo"


@pytest.mark.parametrize("text", ["", "[node]\nname = alpha-1\n"])
def test_schedules_without_a_zone_are_read_in_that_of_the_machine_unless_said(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text).timezone == own_timezone()


@pytest.mark.parametrize(
    ("given", "timezone"),
    [("Europe/Paris", "Europe/Paris"), (":America/Sao_Paulo", "America/Sao_Paulo"), ("Etc/UTC", "UTC"), ("Zulu", "UTC")],
)
def test_the_machines_zone_has_the_name_that_schedules_have(given: str, timezone: str) -> None:
    assert _own_timezone(given) == timezone


def _own_timezone(given: str) -> str:
    """As a new process finds it: it is looked for once."""
    code = "from coal_mine.config.machine import own_timezone; print(own_timezone())"
    environ = os.environ | {"TZ": given}
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("host", "name"),
    [("Web-1.Example.COM", "web-1.example.com"), ("any", "node-any"), ("", "node"), ("_x y_", "x-y"), ("a" * 70, "a" * 64)],
)
def test_the_hosts_name_is_made_one_that_a_node_may_have(host: str, name: str) -> None:
    assert host_as_name(host) == name


@pytest.mark.parametrize(
    ("users", "told"),
    [
        ("root", ["jobs that name no other user run AS ROOT on this node; name others in [node] users"]),
        ("nobody root", ["jobs that ask for it run AS ROOT on this node, as [node] users says"]),
        ("nobody *", []),
        ("nobody stranger-1", ["[node] users: this machine has no user stranger-1; jobs that run as stranger-1 fail here"]),
    ],
)
def test_it_is_said_who_may_run_commands_as_root_and_who_is_nobody_here(tmp_path: Path, users: str, told: list[str]) -> None:
    node = loaded(tmp_path, f"[node]\nusers = {users}\n").node
    assert node is not None

    assert list(warnings_of_users(node)) == told
