"""Header fields that no well-behaved client sends: they pass for no other field, and what cannot be read is trusted by nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.wire import FORM, Answer, exchange, form, request
from tests.support.server import API, CoalMine


def raw(server: CoalMine, *lines: bytes, target: str = f"{API}/list?search=^$") -> Answer:
    return exchange(server, b"\r\n".join([b"GET %s HTTP/1.1" % target.encode(), b"Connection: close", *lines, b"", b""]))


@pytest.mark.parametrize("value", ["abc", "-1", "5", "999", ""])
def test_no_other_field_passes_for_the_length_of_the_body(server: CoalMine, canary: Any, value: str) -> None:
    answer = exchange(server, form("get", f"id={canary['id']}".encode(), f"Content_Length: {value}"))

    assert answer.json["canary"] == canary


@pytest.mark.parametrize("line", ["Content_Type: text/plain", "Transfer_Encoding: chunked", "Sec_Fetch_Site: cross-site"])
def test_a_name_with_an_underscore_is_no_other_name(server: CoalMine, canary: Any, line: str) -> None:
    assert exchange(server, form("get", f"id={canary['id']}".encode(), line)).json["canary"] == canary


def test_a_key_in_a_field_with_an_underscore_opens_nothing(guarded: CoalMine, key: str) -> None:
    assert exchange(guarded, request("GET", f"{API}/list", f"X_Auth_Token: {key}")).status == 401


@pytest.mark.parametrize("line", [b"Sec-Fetch-Site: cross-site\xe9", b"Origin: http://evil\xe9.test", b"Origin: http://\xc3\xa9.test"])
def test_a_page_that_cannot_be_read_is_foreign(server: CoalMine, line: bytes) -> None:
    assert raw(server, b"Host: localhost", line).status == 403


@pytest.mark.parametrize(
    "hosts",
    [
        [b"Host: localhost\xe9"],
        [b"Host: \xff"],
        [b"Host: localhost", b"Host: evil.test"],
        [b"Host: evil.test", b"Host: localhost"],
    ],
)
@pytest.mark.parametrize("target", [f"{API}/list", "/aaaaaaaa", "/health"])
def test_a_server_without_configuration_answers_to_no_name_that_is_not_clearly_its_own(
    server: CoalMine, hosts: list[bytes], target: str
) -> None:
    assert raw(server, *hosts, target=target).status == 403


@pytest.mark.parametrize("target", ["http://evil.test{path}", "http://localhost{path}"])
def test_a_whole_url_in_the_first_line_does_not_replace_the_host(server: CoalMine, target: str) -> None:
    whole = target.format(path=f"{API}/list?search=^$")

    assert raw(server, b"Host: localhost", target=whole).status == 200
    assert raw(server, b"Host: evil.test", target=whole).status == 403


@pytest.mark.parametrize("token", [b"\xff", b"\xc3\xa9", b"\xed\xb3\xbf"])
def test_a_key_that_cannot_be_read_is_wrong(guarded: CoalMine, token: bytes) -> None:
    statuses = {
        raw(guarded, b"Host: localhost", b"%s%s" % (field, token)).status for field in (b"X-Auth-Token: ", b"Authorization: Bearer ")
    }

    assert statuses == {401}


@pytest.mark.parametrize("target", [f"{API}/list?search=^$", "/health", "/{id}"])
def test_other_fields_may_hold_anything(server: CoalMine, canary: Any, target: str) -> None:
    """Clients put all sorts of names there."""
    answer = raw(server, b"Host: localhost", b"User-Agent: caf\xe9", "X-User: ☃".encode(), target=target.format(**canary))

    assert answer.status == 200


@pytest.mark.parametrize("field", ["wsgi.input", "PATH-INFO", "Request-Method", "Script-Name", "Remote-User"])
def test_a_field_replaces_nothing_that_the_server_knows_itself(server: CoalMine, canary: Any, field: str) -> None:
    assert exchange(server, form("get", f"id={canary['id']}".encode(), f"{field}: DELETE")).json["canary"] == canary


@pytest.mark.parametrize(
    "line",
    ["Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
     "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"],
    ids=["websocket", "h2c"],
)  # fmt: skip
def test_a_wish_for_another_protocol_is_not_granted(server: CoalMine, line: str) -> None:
    assert raw(server, b"Host: localhost", line.encode()).status == 200


@pytest.mark.parametrize(
    "coding", ["chunked", "gzip, chunked", "identity", "chunked, identity", "xchunked", "\x0bchunked", "chunked, chunked"]
)
@pytest.mark.parametrize("more", [(), ("Content-Length: 20",)])
def test_a_body_in_any_other_form_than_with_its_length_is_refused(
    server: CoalMine, canary: Any, coding: str, more: tuple[str, ...]
) -> None:
    """Servers in front of us may take another end for the body's."""
    body = b"14\r\ndescription=smuggled\r\n0\r\n\r\n"
    answer = exchange(server, request("POST", f"{API}/update?id={canary['id']}", FORM, f"Transfer-Encoding: {coding}", *more, body=body))

    assert answer.status == 400
    assert server.call("get", id=canary["id"])["canary"] == canary
