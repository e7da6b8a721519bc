"""The disk below SQLite is full for a while. Needs root, for a file system of its own."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Keep
from tests.faults.scene import Mishap, Scene, pause
from tests.support.moody_mail import MoodyMailServer
from tests.support.waiting import until

_SIZE = 32 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "none", str(place)], capture_output=True, text=True, check=False
    )
    assert mounted.returncode == 0, f"this scenario mounts a small disk and must run as root: {mounted.stderr}"
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_nothing_is_lost_on_sqlite_when_its_disk_is_full_for_a_while(keep: Keep, disk: Path, moody_mail: MoodyMailServer) -> None:
    server = keep(f"[sqlite]\npath = {disk}/cm.sqlite3\n")

    def fill(chance: random.Random) -> None:
        server.wait_until_whole()  # it does not start on a full disk
        seen = server.log.count("disk is full")
        _fill(disk / "ballast")
        until("a full disk in the log", lambda: server.log.count("disk is full") > seen)
        pause(chance, 0.0, 3.0)
        (disk / "ballast").unlink()

    def fill_and_kill(chance: random.Random) -> None:
        worker = server.wait_until_whole()["worker"]
        _fill(disk / "ballast")
        pause(chance, 0.0, 1.0)
        worker.kill()
        pause(chance, 0.0, 2.0)
        (disk / "ballast").unlink()

    mishaps: dict[str, Mishap] = {"full disk": fill, "full disk and kill": fill_and_kill}
    Scene([server], moody_mail).play(mishaps)


def _fill(ballast: Path) -> None:
    """To the last byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
