"""SIGTERM and SIGINT: what is under way is answered, then the server ends with status 0."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest

from coal_mine.stores.sqlite.store import open_store
from tests.api.wire import FORM, connection, parsed, request
from tests.faults.processes import Process, children, process_of
from tests.support.server import API, CoalMine
from tests.support.waiting import until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered_and_the_status_is_0(tmp_path: Path, number: int) -> None:
    body = b"name=Under+Way&periodicity=3600"
    begun = request("POST", f"{API}/create", FORM, f"Content-Length: {len(body)}", "Expect: 100-continue")
    statuses: list[int] = []
    with CoalMine(tmp_path) as server, connection(server) as opened:
        opened.sendall(begun)
        continued = opened.recv(1_000)  # comes when the server begins to read the body
        stopping = threading.Thread(target=lambda: statuses.append(server.stop(number)))
        stopping.start()
        until("a server that takes no new connections", lambda: not _connects(server))
        opened.sendall(body)
        answers = parsed(b"".join(iter(lambda: opened.recv(65_536), b"")))
        stopping.join()
    with CoalMine(tmp_path) as again:
        kept = again.call("get", name="Under Way")

    assert continued == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert [answer.status for answer in answers] == [200]
    assert statuses == [0]
    assert kept == answers[0].json


def test_a_request_under_way_is_answered_however_often_its_process_is_told_to_end(tmp_path: Path) -> None:
    body = b"name=Under+Way&periodicity=3600"
    begun = request("POST", f"{API}/create", FORM, f"Content-Length: {len(body)}", "Expect: 100-continue")
    with CoalMine(tmp_path) as server, connection(server) as opened:
        opened.sendall(begun)
        opened.recv(1_000)  # comes when the server begins to read the body
        top = process_of(server.pid)
        assert top
        (worker,) = children(top)
        for _ in range(10):
            worker.send(signal.SIGTERM)
            until("a signal that has arrived", lambda: not _pending(worker))
        opened.sendall(body)
        answers = parsed(b"".join(iter(lambda: opened.recv(65_536), b"")))
        until("the end of the process", lambda: not worker.lives)

    assert [answer.status for answer in answers] == [200]


def test_a_server_ends_cleanly_while_its_process_is_just_being_replaced(tmp_path: Path) -> None:
    with CoalMine(tmp_path) as server:
        top = process_of(server.pid)
        assert top
        (worker,) = children(top)
        worker.send(signal.SIGKILL)
        until("its successor", lambda: [child for child in children(top) if child.pid != worker.pid])
        status = server.stop()

    with closing(open_store(tmp_path / "state/coal-mine/coal-mine.sqlite3")) as store:
        unclean = [each.pid for each in store.servers.all()]
    assert status == 0
    assert unclean == [worker.pid]


def _pending(process: Process) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return any(int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd")))


def test_a_connection_that_says_nothing_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with CoalMine(tmp_path) as server, connection(server) as silent, connection(server) as idle:
        idle.sendall(request("GET", "/health", close=False))
        idle.recv(1_000)
        status = server.stop()
        silent.close()

    assert status == 0
    assert server.log.splitlines()[-1].endswith(" stopped")


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with CoalMine(tmp_path) as server:
        pids = _family(server.pid)
        server.stop()

    assert len(pids) > 1
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("store", ["", "[mongodb]\nhosts = mongodb://127.0.0.1:1/x\n"], ids=["sqlite", "mongodb that is away"])
def test_an_impatient_user_ends_it_all_the_same(tmp_path: Path, store: str) -> None:
    """Signals may come while the first one is still being handled."""
    with CoalMine(tmp_path, ini=f"[wsgi]\nhost = 127.0.0.1\n{store}") as server:
        for _ in range(100):
            os.kill(server.pid, signal.SIGINT)
            os.kill(server.pid, signal.SIGTERM)
        status = server.stop()

    assert status == 0


def _connects(server: CoalMine) -> bool:
    try:
        with connection(server):
            return True
    except OSError:
        return False


def _family(pid: int) -> list[int]:
    """The process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(relative for child in children for relative in _family(int(child)))]
