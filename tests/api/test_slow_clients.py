"""Clients that begin a request and never end it: they hold up nobody else."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests

from coal_mine.web.bridge import THREADS
from tests.api.wire import FORM, Answer, connection, exchange, request
from tests.support.server import API, CoalMine
from tests.support.waiting import until

# More than the server has threads.
MANY = 80
SECONDS = 10


@contextmanager
def beginners(server: CoalMine, sent: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        opened = [stack.enter_context(connection(server)) for _ in range(MANY)]
        for one in opened:
            one.sendall(sent)
        yield opened


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /aaaaaaaa HTTP/1.1\r\n", b"GET /aaaaaaaa HTTP/1.1\r\nHost: localhost\r\nX-Never: en"])
def test_half_a_header_holds_up_no_trigger(server: CoalMine, canary: Any, sent: bytes) -> None:
    with beginners(server, sent):
        status = requests.get(f"{server.url}/{canary['id']}", timeout=SECONDS).status_code

    assert status == 200


@pytest.mark.parametrize("path", [f"{API}/list", f"{API}/trigger", "/aaaaaaaa"])
def test_half_a_body_from_a_stranger_holds_up_neither_triggers_nor_those_with_a_key(guarded: CoalMine, key: str, path: str) -> None:
    canary_id = guarded.call("create", name=f"Steady {path}", periodicity=3600, auth_key=key)["canary"]["id"]
    with beginners(guarded, request("POST", path, FORM, "Content-Length: 1000", body=b"auth_key=")):
        triggered = requests.get(f"{guarded.url}/{canary_id}", timeout=SECONDS)
        posted = requests.post(f"{guarded.url}{API}/get", {"id": canary_id}, headers={"X-Auth-Token": key}, timeout=SECONDS)

    assert (triggered.status_code, posted.status_code) == (200, 200)


@pytest.mark.parametrize("path", [f"{API}/trigger?slug=by-name-under-load", f"{API}/trigger?name=By+name+under+load", "/health"])
def test_when_all_threads_read_half_a_body_from_those_with_a_key_triggers_by_any_name_go_on(guarded: CoalMine, key: str, path: str) -> None:
    if guarded.call("list", auth_key=key, search="^by-name-under-load$")["canaries"] == []:
        guarded.call("create", name="By name under load", periodicity=3600, auth_key=key)
    announced = request("POST", f"{API}/list?auth_key={key}", FORM, "Content-Length: 1000", "Expect: 100-continue")
    with beginners(guarded, announced) as opened:
        # "100 Continue" comes when a thread begins to read.
        until("threads that all read", lambda: len(select.select(opened, [], [], 0)[0]) == THREADS)
        status = requests.get(guarded.url + path, timeout=SECONDS).status_code

    assert status == 200


def test_half_a_body_holds_up_no_trigger_where_no_key_is_asked_for(server: CoalMine, canary: Any) -> None:
    with beginners(server, request("POST", f"{API}/list", FORM, "Content-Length: 1000")):
        status = requests.get(f"{server.url}/{canary['id']}", timeout=SECONDS).status_code

    assert status == 200


def test_a_form_that_finds_no_place_is_told_so(server: CoalMine, canary: Any) -> None:
    body = f"id={canary['id']}".encode()
    sent = request("POST", f"{API}/get", FORM, f"Content-Length: {len(body)}", body=body)

    def refused() -> Answer | None:
        answer = exchange(server, sent)
        return answer if answer.status == 503 else None

    with beginners(server, request("POST", f"{API}/list", FORM, "Content-Length: 1000")):
        answer = until("a refusal", refused)

    assert answer is not None
    assert answer.error.startswith("too many forms are being sent")


def test_forms_find_a_place_again_when_the_slow_ones_have_gone(server: CoalMine, canary: Any) -> None:
    with beginners(server, request("POST", f"{API}/list", FORM, "Content-Length: 1000")):
        pass

    until("a place for a form", lambda: requests.post(f"{server.url}{API}/get", {"id": canary["id"]}).status_code == 200)
