"""Arbitrary calls of Moneta's paths: never a 5xx but where nothing can be executed, and always with what other sites may read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.wire import exchange, request
from tests.support.server import CoalMine

KEY = "right-key-2290"
PATHS = [
    *("tasks", "tasks/abc", "tasks/abc/enable", "tasks/abc/disable", "tasks/abc/execute", "tasks/abc/running", "tasks/abc/processes"),
    *("tasks/abc/auditlog", "tasks/abc/executionsummary", "tags", "plugins", "status", "processes/1", "processes/1/kill", "running"),
    *("executionsummary", "auditlog", "cluster/pools", "cluster/status", "gui/", "node/anode/tasks", "node/nobody/tasks"),
    *(f"cluster/config/{option}" for option in ("tick", "mailer", "audit", "tasks", "execution_enabled", "nonsense")),
]
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "EXECUTE", "KILL", "OPTIONS", "UPDATE"])
ODD = st.sampled_from(["%00", "..", "%2e%2e", "%C3%A9", "A", "a" * 300, "node", "%2F", "", "abc"])
PLACES = st.sampled_from(PATHS) | st.tuples(st.sampled_from(PATHS), ODD, ODD).map("/".join)
NAMES = st.sampled_from(["tag", "from", "until", "limit", "offset", "level", "type", "target", "force", "dry_run", "nonsense"])
GIVEN = st.sampled_from(["", "1", "-1", "9" * 30, "a,b", "%00", "%ff", "now", "2026-11-22", "2026-99-99T99:99:99Z", "local", "%C3%A9"])
QUERIES = st.lists(st.tuples(NAMES, GIVEN).map("=".join), max_size=3).map("&".join)
WORDS = st.sampled_from(
    ["command", "schedules", "enabled", "pools", "env", "mailto", "coal_mine", "concurrency", "overlap", "timezone", "sender", "abc"]
)
SCALARS = st.none() | st.booleans() | st.integers(-2, 70) | st.floats(allow_nan=False) | st.text(max_size=6) | st.just("*/0")
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=10)
BODIES = VALUES.map(json.dumps).map(str.encode) | st.binary(max_size=20) | st.just(b'{"command": "true"}')


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """A server for this file alone, whose tasks and options anything may become of."""
    directory = tmp_path_factory.mktemp("fuzzed")
    ini = f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[node]\nname = anode\npools = nobodys\n[sqlite]\npath = {directory}/cm.sqlite3\n"
    with CoalMine(directory, ini=f"{ini}[moneta]\ndocroot = {directory}\n") as running:
        yield running


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
@given(method=METHODS, path=PLACES, query=QUERIES, body=BODIES)
def test_arbitrary_calls_are_answered_as_moneta_answers(fuzzed: CoalMine, method: str, path: str, query: str, body: bytes) -> None:
    headers = [f"X-Auth-Token: {KEY}", f"Content-Length: {len(body)}"]
    answer = exchange(fuzzed, request(method, f"/{path}?{query}", *headers, body=body))

    assert answer.status < 500 or is_not_executed(answer.json), (answer.status, answer.body)
    assert answer.headers["access-control-allow-origin"] == "*"


def is_not_executed(told: Any) -> bool:
    """What is said of a task that exists, and that nobody could run now."""
    return isinstance(told, dict) and told.get("executed") is False


def test_the_log_has_no_traceback_afterwards(fuzzed: CoalMine) -> None:
    assert "Traceback" not in fuzzed.log
