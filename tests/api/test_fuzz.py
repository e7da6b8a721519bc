"""Arbitrary parameters and bytes at every endpoint: never a 5xx, always JSON, and nobody's canary suffers.

`make security` goes on for longer, with other examples each time; it prints the seed, and SECURITY_SEED repeats one.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.api.wire import FORM, exchange_all, request
from tests.security.sizes import SECONDS
from tests.support.server import API, CoalMine

COMMANDS = ["create", "delete", "update", "get", "list", "trigger", "pause", "unpause"]
PARAMETERS = [
    "id",
    "slug",
    "name",
    "periodicity",
    "schedule",
    "grace",
    "timezone",
    "description",
    "email",
    "paused",
    "late",
    "verbose",
    "search",
    "comment",
    "m",
    "auth_key",
]

Examples = dict[str, st.SearchStrategy[Any]]

numbers = st.floats().map(str) | st.integers().map(str)
cron_field = st.text("0123456789*/,-LWHhmonsu?# \N{SUPERSCRIPT TWO}", min_size=1, max_size=6)
cron = st.lists(cron_field, min_size=4, max_size=7).map(" ".join)
windows = st.lists(cron | st.just("* * * * * 60"), max_size=3).map(" ; ".join)
expression = st.text("ab()[]{}*+?|\\^$.0123456789,", max_size=30)
word = st.sampled_from(["true", "no", "-", "a@example.test", "Europe/Paris", "@daily", "3600", "aaaaaaaa", "\0", "\r\n", ""])
text = (st.text(max_size=30) | numbers | cron | windows | expression | word).map(lambda value: value.encode("utf-8", "surrogatepass"))
pairs = st.lists(st.tuples(st.sampled_from(PARAMETERS).map(str.encode) | text, text | st.binary(max_size=30)), max_size=6)
path = st.sampled_from([f"{API}/{command}".encode() for command in COMMANDS]) | st.binary(max_size=20).map(
    lambda raw: b"/" + quote_from_bytes(raw, "/").encode()
)
trigger_path = st.sampled_from(
    [b"/%s", b"//%s", b"/%s/", b"http://localhost/%s", API.encode() + b"/trigger?id=%s", API.encode() + b"/trigger"]
)
token = st.text("!#$%&'*+-.^_`|~abcXYZ019", min_size=1, max_size=20).map(str.encode)
value = st.binary(max_size=40)
raw_header = st.lists(st.tuples(token | st.sampled_from([b"Content-Length", b"Transfer-Encoding", b"Expect", b"Host"]), value), max_size=4)
first_line = st.tuples(
    token | st.just(b"GET") | st.just(b"POST"), path | value, st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9"]) | value
)
header = st.sampled_from(
    [
        "Origin: http://evil.test",
        "Content_Length: x",
        "Expect: 100-continue",
        "Authorization: Basic %%%",
        "X-Auth-Token: x",
        "Content-Type: text/plain",
        "Transfer-Encoding: identity",
        "Cookie: a=b",
    ]
)


@pytest.fixture(scope="module")
def others(server: CoalMine) -> dict[str, Any]:
    """Canaries of every kind, which the calls cannot name except by chance."""
    kinds: dict[str, dict[str, str]] = {
        "hourly": {"periodicity": "3600"},
        "windows": {"periodicity": "* * * * * 5000"},
        "cron": {"schedule": "0 0 1 1 *", "timezone": "Asia/Tokyo"},
        "paused": {"periodicity": "60", "paused": "yes"},
    }
    made = [server.call("create", name=f"Bystander {kind}", **given)["canary"] for kind, given in kinds.items()]
    for canary in made:
        server.call("update", id=canary["id"], description="untouched", email="bystander@example.test")
    return {canary["id"]: _shown(server, canary["id"]) for canary in made}


def _shown(server: CoalMine, canary_id: str) -> Any:
    canary = server.call("get", id=canary_id)["canary"]
    canary.pop("periodicity_schedule", None)  # moves on with the time
    return canary


def _encoded(fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"&".join(quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value).encode() for name, value in fields)


def _call(server: CoalMine, method: str, target: bytes, headers: list[str], body: bytes) -> None:
    sent = request(method, target, *headers, *([f"Content-Length: {len(body)}"] if body else []), body=body)
    (answer,) = [answer for answer in exchange_all(server, sent) if answer.status != 100]

    assert answer.status < 500
    if answer.body:
        assert answer.json["status"] == ("ok" if answer.status == 200 else "error")
    else:
        assert method == "HEAD" or (answer.status == 400 and any(line.startswith("Transfer") for line in headers))


def _fuzzed(server: CoalMine, test: Callable[..., None], examples: Examples, count: int, **more: Any) -> None:
    """The same examples each time, or, in the long form, others until the time is over."""
    common = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    if not SECONDS:
        settings(common, derandomize=True)(given(**examples)(test))(server, **more)
        return
    begin, number = time.monotonic(), int(os.environ.get("SECURITY_SEED", random.randrange(2**32)))
    while time.monotonic() < begin + SECONDS:
        print(f"\n{test.__name__}: seed {number}, {count} examples", end="")  # noqa: T201 - to repeat it
        seed(number)(common(given(**examples)(test)))(server, **more)
        number += 1


REQUESTS: Examples = {
    "method": st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
    "path": path,
    "query": pairs,
    "body": pairs.map(_encoded) | st.binary(max_size=60),
    "headers": st.lists(header, max_size=2),
}


def _requests(server: CoalMine, method: str, path: bytes, query: list[tuple[bytes, bytes]], body: bytes, headers: list[str]) -> None:
    _call(server, method, path + b"?" + _encoded(query), [FORM, *headers] if body else headers, body)


TRIGGERS: Examples = {
    "method": st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
    "path": trigger_path,
    "query": pairs,
    "body": st.binary(max_size=60),
    "headers": st.lists(header, max_size=2),
}


def _triggers(
    server: CoalMine, method: str, path: bytes, query: list[tuple[bytes, bytes]], body: bytes, headers: list[str], fuzzed: str
) -> None:
    target = path.replace(b"%s", fuzzed.encode())
    _call(server, method, target + (b"&" if b"?" in target else b"?") + _encoded(query), headers, body)


VALUES: Examples = {
    "command": st.sampled_from(["create", "update"]),
    "kind": st.sampled_from(["periodicity", "schedule", "grace", "timezone", "email", "name"]),
    "value": text,
    "name": st.uuids(),
}


def _values(server: CoalMine, command: str, kind: str, value: bytes, name: Any, fuzzed: str) -> None:
    """Right but for one value, so that it is looked at in earnest."""
    base = {"create": {b"name": b"Fuzz %s" % name.hex.encode()}, "update": {b"id": fuzzed.encode()}}[command]
    base |= {b"schedule": b"0 0 * * *"} if kind in ("grace", "timezone") else {b"periodicity": b"3600"} if kind in ("email", "name") else {}
    _call(server, "GET", f"{API}/{command}?".encode() + _encoded(list((base | {kind.encode(): value}).items())), [], b"")


BYTES: Examples = {"line": first_line, "fields": raw_header, "body": st.binary(max_size=60)}


def _bytes(server: CoalMine, line: tuple[bytes, bytes, bytes], fields: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Hardly HTTP: whatever is answered to it is no fault of ours."""
    head = b"".join(b"%s: %s\r\n" % field for field in [(b"Connection", b"close"), *fields])
    for answer in exchange_all(server, b" ".join(line) + b"\r\n" + head + b"\r\n" + body, end=True):
        assert answer.status < 500


def test_arbitrary_requests_are_answered_in_json_and_harm_nobody(server: CoalMine, others: dict[str, Any]) -> None:
    _fuzzed(server, _requests, REQUESTS, 400)

    assert {canary_id: _shown(server, canary_id) for canary_id in others} == others


def test_arbitrary_values_are_answered_in_json_and_harm_nobody(server: CoalMine, others: dict[str, Any]) -> None:
    fuzzed = server.call("create", name="Fuzzed", periodicity=3600)["canary"]["id"]
    _fuzzed(server, _values, VALUES, 500, fuzzed=fuzzed)

    assert {canary_id: _shown(server, canary_id) for canary_id in others} == others


def test_arbitrary_triggers_are_answered_in_json_and_harm_nobody(server: CoalMine, others: dict[str, Any]) -> None:
    fuzzed = server.call("create", name="Triggered at will", periodicity=3600)["canary"]["id"]
    _fuzzed(server, _triggers, TRIGGERS, 400, fuzzed=fuzzed)

    assert {canary_id: _shown(server, canary_id) for canary_id in others} == others


def test_arbitrary_bytes_harm_nobody(server: CoalMine, others: dict[str, Any]) -> None:
    _fuzzed(server, _bytes, BYTES, 400)

    assert {canary_id: _shown(server, canary_id) for canary_id in others} == others


def test_the_log_has_no_traceback_afterwards(server: CoalMine) -> None:
    assert "Traceback" not in server.log
