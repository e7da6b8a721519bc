"""MongoDB does not answer: callers are told so in time, and /health answers all the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.server import API, CoalMine

CALLS = ["/aaaaaaaa", f"{API}/trigger?slug=backup", f"{API}/get?id=aaaaaaaa", f"{API}/list"]
# More than the server has threads.
MANY = 80


def test_calls_are_refused_when_the_store_does_not_answer_and_health_does_not_wait_for_them(tmp_path: Path) -> None:
    ini = "[wsgi]\nhost = 127.0.0.1\nauth_key = k\n[mongodb]\nhosts = mongodb://127.0.0.1:1/x\n"
    with CoalMine(tmp_path, ini=ini) as server, ThreadPoolExecutor(MANY) as callers:
        waiting = [callers.submit(_call, server, CALLS[number % len(CALLS)]) for number in range(MANY)]
        healthy = server.get("/health").json()
        answered_before = sum(each.done() for each in waiting)
        answers = [each.result() for each in waiting]

    assert "version" in healthy
    assert answered_before == 0
    assert {status for status, _ in answers} == {503}
    assert all(text.startswith("the store does not answer") for _, text in answers)


def _call(server: CoalMine, path: str) -> tuple[int, Any]:
    answer = server.get(path, auth_key="k")
    return answer.status_code, answer.json()["error"]
