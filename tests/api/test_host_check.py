"""Who is turned away although no key was asked for, or although a browser sent one: strangers' names and strangers' pages."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.api.wire import exchange, request
from tests.support.server import API, CoalMine

PATHS = [f"{API}/list", f"{API}/trigger?id=aaaaaaaa", "/aaaaaaaa", "/health"]
FOREIGN = [
    "Origin: http://evil.test",
    "Origin: null",
    "Origin: https://localhost.evil.test",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-site",
]


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:8080", "localhost.evil.test", "127.0.0.1.evil.test", "192.168.1.1", "localhost@evil.test"]
)
@pytest.mark.parametrize("path", PATHS)
def test_a_server_without_configuration_answers_to_no_foreign_name(server: CoalMine, path: str, host: str) -> None:
    answer = exchange(server, request("GET", path, host=host))

    assert answer.status == 403
    assert answer.error.startswith("this server answers only to localhost")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080"])
def test_a_server_without_configuration_answers_to_its_own_names(server: CoalMine, host: str) -> None:
    assert exchange(server, request("GET", f"{API}/list?search=^$", host=host)).status == 200


@pytest.mark.parametrize("host", ["coal-mine.example.test", "192.168.1.1:80"])
def test_a_configured_server_answers_to_every_name(guarded: CoalMine, key: str, host: str) -> None:
    assert exchange(guarded, request("GET", f"{API}/list?auth_key={key}", host=host)).status == 200


@pytest.mark.parametrize("header", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_page_cannot_call_a_server_without_a_key(server: CoalMine, name: str, method: str, header: str) -> None:
    answer = exchange(server, request(method, f"{API}/create?name=x{name[-8:]}&periodicity=60", header, "Content-Length: 0"))

    assert answer.status == 403
    assert "pages" in answer.error
    assert server.get(f"{API}/get", name=f"x{name[-8:]}").status_code == 404


@pytest.mark.parametrize("header", FOREIGN)
def test_a_foreign_page_cannot_use_a_password_that_the_browser_remembers(guarded: CoalMine, key: str, header: str) -> None:
    remembered = "Authorization: Basic " + base64.b64encode(f":{key}".encode()).decode()

    assert exchange(guarded, request("GET", f"{API}/list", remembered, header)).status == 403


@pytest.mark.parametrize("header", FOREIGN)
def test_a_foreign_page_that_knows_the_key_may_call(guarded: CoalMine, key: str, header: str) -> None:
    assert exchange(guarded, request("GET", f"{API}/list", f"X-Auth-Token: {key}", header)).status == 200


@pytest.mark.parametrize("header", ["Origin: http://localhost", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none"])
def test_the_servers_own_pages_and_typed_addresses_may_call(server: CoalMine, header: str) -> None:
    assert exchange(server, request("GET", f"{API}/list?search=^$", header)).status == 200


@pytest.mark.parametrize("header", FOREIGN)
def test_every_page_may_trigger(server: CoalMine, canary: Any, header: str) -> None:
    assert exchange(server, request("GET", f"/{canary['id']}", header)).status == 200
