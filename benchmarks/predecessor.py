"""The predecessor, coal_mine 0.7.1 as published, beside us on the same mongod."""

from __future__ import annotations

import os
import subprocess
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymongo.database import Database

from benchmarks import servers, wrk
from benchmarks.fill import PERIOD, batches, filled, id_of, now
from benchmarks.report import Report

CANARIES = 1_000
_DATABASE = "coalmine_test_predecessor"
# Its code does not run with newer drivers.
_PACKAGES = ("coal_mine==0.7.1", "pymongo<4.9")


def measure(report: Report, *, history: int, connections: int, seconds: float) -> None:
    with ExitStack() as stack:
        home = stack.enter_context(servers.directory())
        place = stack.enter_context(servers.place("mongo", home))
        stack.enter_context(filled(place.filler, CANARIES, history=history))
        assert place.mongod is not None
        client = stack.enter_context(place.mongod.client())
        _fill(client[_DATABASE], history)
        ours = stack.enter_context(servers.coal_mine(place)).url
        theirs = stack.enter_context(_served(place.mongod.hosts, home))
        for url in (ours, theirs):
            wrk.load(url, connections=1, seconds=1, canaries=CANARIES)
        we = wrk.load(ours, connections=connections, seconds=seconds, canaries=CANARIES)
        they = wrk.load(theirs, connections=connections, seconds=seconds, canaries=CANARIES)
    report.add(
        "Predecessor", history=history, connections=connections, **{
            "Coal Mine/s": we.rate, "0.7.1 per s": they.rate, "times": we.rate / they.rate,
            "p50 ms": we.p50, "p99 ms": we.p99, "0.7.1 p50 ms": they.p50, "0.7.1 p99 ms": they.p99,
        },
    )  # fmt: skip


def installed() -> Path:
    """Its server, in an environment of its own that is kept for the next time."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coal-mine-benchmarks" / "predecessor"
    if not (home / "bin" / "coal-mine").exists():
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet", *_PACKAGES], check=True)
    return home / "bin" / "coal-mine"


@contextmanager
def _served(hosts: str, home: Path) -> Iterator[str]:
    port = servers.free_port()
    ini = f"[wsgi]\nport = {port}\n[email]\nsender = coal-mine@example.test\n[mongodb]\nhosts = {hosts}\ndatabase = {_DATABASE}\n"
    (home / "coal-mine.ini").write_text(ini)
    with (home / "predecessor.log").open("wb") as log:
        process = subprocess.Popen([installed()], cwd=home, env={"PATH": os.environ["PATH"]}, stdout=log, stderr=log)
    try:
        servers.wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def _fill(database: Database[dict[str, Any]], history: int) -> None:
    at = now()
    lines = [[at - timedelta(seconds=10 * place), "Triggered"] for place in range(history)]
    canaries = (
        {"id": id_of(number), "name": f"canary {number}", "slug": f"canary-{number}", "periodicity": float(PERIOD), "description": "",
         "emails": [], "paused": False, "late": False, "history": lines, "deadline": at + timedelta(seconds=PERIOD)}
        for number in range(CANARIES)
    )  # fmt: skip
    for batch in batches(canaries):
        database["canaries"].insert_many(batch)
