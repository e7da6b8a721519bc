"""Who may call Moneta's paths: whoever has the key, and the addresses that [moneta] open_to names, though not by way of anybody's page."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
import requests

from coal_mine.domain.errors import Forbidden, Unauthorized
from coal_mine.web.auth import JobGate
from coal_mine.web.dialects.moneta.access import MonetaGate
from tests.api.wire import exchange, request
from tests.dialects.moneta.client import Moneta
from tests.support.server import CoalMine

KEY = "right-key-8812"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """A server with a key, open to this machine."""
    directory = tmp_path_factory.mktemp("opened")
    ini = (
        f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n[moneta]\nopen_to = 10.9.8.7, 127.0.0.0/8\n[sqlite]\npath = {directory}/cm.sqlite3\n"
    )
    with CoalMine(directory, ini=ini) as running:
        yield running


@pytest.mark.parametrize("headers", [{"X-Auth-Token": "KEY"}, {"Authorization": "Bearer KEY"}])
def test_the_key_lets_in(moneta: Moneta, headers: dict[str, str]) -> None:
    given = {name: text.replace("KEY", moneta.key) for name, text in headers.items()}

    assert requests.get(f"{moneta.server.url}/tags", headers=given).status_code == 200


def test_the_key_may_be_in_the_query(moneta: Moneta) -> None:
    assert requests.get(f"{moneta.server.url}/tags", params={"auth_key": moneta.key}).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/tasks"), ("DELETE", "/tasks"), ("GET", "/tasks/x/y"), ("GET", "/node/x/tags")])
def test_without_the_key_nothing_is_answered(moneta: Moneta, method: str, path: str) -> None:
    answer = requests.request(method, moneta.server.url + path)

    assert (answer.status_code, answer.json()["error"]) == (401, True)


def test_a_browser_is_asked_for_a_password(moneta: Moneta) -> None:
    answer = requests.get(f"{moneta.server.url}/tasks")

    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Coal Mine"'


def test_no_body_is_read_before_the_key(moneta: Moneta) -> None:
    assert exchange(moneta.server, request("POST", "/tasks", "Content-Length: 1000")).status == 401


def test_a_foreign_page_cannot_use_the_password_that_a_browser_remembers(moneta: Moneta) -> None:
    answer = moneta.call("POST", "/tasks", {"command": "true"}, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403


def test_named_addresses_need_no_key(opened: CoalMine) -> None:
    answer = requests.post(f"{opened.url}/tasks", json={"name": "A task", "command": "true"})

    assert answer.status_code == 201


def test_they_cannot_make_up_a_name_for_the_audit_log(opened: CoalMine) -> None:
    task_id = requests.post(f"{opened.url}/tasks", json={"name": "A task", "command": "true"}, auth=("admin", "x")).json()["id"]

    (created,) = requests.get(f"{opened.url}/tasks/{task_id}/auditlog").json()["records"]
    assert created["user"] == "127.0.0.1"


def test_they_need_one_for_all_other_calls(opened: CoalMine) -> None:
    assert requests.get(f"{opened.url}/coal-mine/v1/jobs").status_code == 401


def test_the_log_warns_of_them(opened: CoalMine) -> None:
    places = "whoever calls from 10.9.8.7/32, 127.0.0.0/8, and whoever a proxy there lets through"
    told = f"MONETA'S PATHS ARE OPEN WITHOUT A KEY: {places}, may run any command on the nodes"

    assert told in opened.log


def test_a_page_of_the_server_itself_needs_no_key(opened: CoalMine) -> None:
    headers = {"Origin": opened.url, "Sec-Fetch-Site": "same-origin"}

    assert requests.get(f"{opened.url}/tasks", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_pages_of_other_sites_need_the_key(opened: CoalMine, headers: dict[str, str]) -> None:
    answer = requests.post(f"{opened.url}/tasks", json={"name": "A task", "command": "true"}, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (403, True)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_with_the_key_it_does_not_matter_where_a_page_comes_from(opened: CoalMine, headers: dict[str, str]) -> None:
    assert requests.get(f"{opened.url}/tasks", headers=headers | {"X-Auth-Token": KEY}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_a_foreign_name_that_points_here_needs_the_key(opened: CoalMine, host: str) -> None:
    answer = exchange(opened, request("GET", "/tasks", host=host))

    assert (answer.status, answer.json["message"]) == (
        403,
        f"without the key this server answers only to its own names and addresses, not to {host.partition(':')[0]!r}",
    )


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:9", "[::1]:80", "[::1]", "10.1.2.3", socket.gethostname()])
def test_the_servers_own_names_and_addresses_need_no_key(opened: CoalMine, host: str) -> None:
    assert exchange(opened, request("GET", "/tasks", host=host)).status == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_what_a_proxy_passes_on_needs_the_key(opened: CoalMine, name: str) -> None:
    assert requests.get(f"{opened.url}/tasks", headers={name: "192.0.2.1"}).status_code == 401


def admitted(address: str, *networks: str, key: str = KEY) -> bool:
    gate = MonetaGate(JobGate(key), [ip_network(network) for network in networks])
    try:
        gate.admit({"REQUEST_METHOD": "GET", "QUERY_STRING": "", "REMOTE_ADDR": address, "HTTP_HOST": "localhost"})
    except (Forbidden, Unauthorized):
        return False
    return True


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7", "[fd00::7]"])
def test_addresses_of_both_kinds_are_found_in_their_networks(address: str) -> None:
    assert admitted(address, "10.1.0.0/16", "fd00::/8")


@pytest.mark.parametrize("address", ["10.2.2.3", "::ffff:10.2.2.3", "fe80::7", "", "unix:"])
def test_all_other_addresses_need_the_key(address: str) -> None:
    assert not admitted(address, "10.1.0.0/16", "fd00::/8")


def test_where_nobody_is_named_everybody_needs_the_key() -> None:
    assert not admitted("127.0.0.1")


def test_a_server_without_any_key_lets_in_whom_it_names() -> None:
    assert admitted("127.0.0.1", "127.0.0.1/32", key="")
