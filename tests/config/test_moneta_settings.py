"""[moneta]."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from coal_mine.config import BackupFormat, MonetaConfig, load
from coal_mine.domain.errors import Invalid


def loaded(directory: Path, *lines: str) -> MonetaConfig:
    path = directory / "coal-mine.ini"
    path.write_text("\n".join(["[sqlite]", f"path = {directory}/cm.sqlite3", *(["[moneta]", *lines] if lines else []), ""]))
    return load(path, {}).moneta


def fault(directory: Path, line: str) -> str:
    with pytest.raises(Invalid) as found:
        loaded(directory, line)
    return str(found.value).removeprefix(f"{directory}/coal-mine.ini: [moneta] ")


def test_all_of_it_is_read_as_it_is_written(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        "open_to = 127.0.0.1, 10.1.0.0/16 fd00::/8",
        f"docroot = {tmp_path}",
        f"backup = {tmp_path}/m.yaml",
        "backup_format = YAML",
    )

    assert config == MonetaConfig(
        open_to=(ip_network("127.0.0.1/32"), ip_network("10.1.0.0/16"), ip_network("fd00::/8")),
        docroot=tmp_path,
        backup=tmp_path / "m.yaml",
        backup_format=BackupFormat.YAML,
    )


def test_a_web_client_whose_files_are_away_is_no_mistake(tmp_path: Path) -> None:
    assert loaded(tmp_path, "docroot = /nowhere/gui").docroot == Path("/nowhere/gui")


@pytest.mark.parametrize("lines", [(), ("",)])
def test_without_it_nobody_calls_without_the_key_and_nothing_is_written(tmp_path: Path, lines: tuple[str, ...]) -> None:
    assert loaded(tmp_path, *lines) == MonetaConfig(open_to=(), docroot=None, backup=None, backup_format=BackupFormat.JSON)


@pytest.mark.parametrize("word", ["localhost", "10.1.2.3/16", "10.1", "everybody", "10.0.0.0/33"])
def test_what_is_no_network_is_named(tmp_path: Path, word: str) -> None:
    assert fault(tmp_path, f"open_to = 127.0.0.1 {word}") == (
        f"open_to: '127.0.0.1 {word}' is no list of addresses and networks: '{word}' is none; write 127.0.0.1 or 10.1.0.0/16"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("docroot = gui", "docroot: 'gui' is not an absolute path"),
        ("backup = tasks.json", "backup: 'tasks.json' is not an absolute path"),
        ("backup = /tmp", "backup: '/tmp' is a directory; give the name of a file in it"),
        ("backup_format = xml", "backup_format: 'xml' is none of json, yaml"),
        ("tick = 60", "tick: unknown setting; [moneta] knows open_to, docroot, backup, backup_format"),
    ],
)
def test_each_mistake_is_one_line(tmp_path: Path, line: str, told: str) -> None:
    assert fault(tmp_path, line) == told
