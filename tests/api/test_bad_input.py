"""What no well-behaved client sends: refused with 4xx and a reason, and nothing is lost."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.wire import FORM, exchange, exchange_all, form, request
from tests.support.server import API, CoalMine

COMMANDS = ["create", "delete", "update", "get", "list", "trigger", "pause", "unpause"]


def assert_unharmed(server: CoalMine, canary: Any) -> None:
    assert server.call("get", id=canary["id"])["canary"] == canary


# Parameters


@pytest.mark.parametrize("path", [*(f"{API}/{command}" for command in COMMANDS), "/aaaaaaaa"])
@pytest.mark.parametrize("query", ["bogus=1", "ID=aaaaaaaa", "id[$ne]=1", "=", "%00=1", "name%20=x", "bogus"])
def test_an_unknown_parameter_is_refused(server: CoalMine, path: str, query: str) -> None:
    answer = exchange(server, request("GET", f"{path}?{query}"))

    assert answer.status == 400
    assert answer.error.startswith("unknown parameter")


@pytest.mark.parametrize("path", [*(f"{API}/{command}" for command in COMMANDS if command != "list"), "/aaaaaaaa"])
def test_a_repeated_parameter_is_refused(server: CoalMine, path: str) -> None:
    answer = exchange(server, request("GET", f"{path}?name=a&name=a"))

    assert (answer.status, answer.error) == (400, "parameter name is given 2 times")


@pytest.mark.parametrize("path", [f"{API}/get", f"{API}/trigger", "/aaaaaaaa"])
def test_too_many_parameters_are_refused(server: CoalMine, path: str) -> None:
    answer = exchange(server, request("GET", f"{path}?" + "a&" * 400))

    assert (answer.status, answer.error) == (400, "more than 300 parameters")


@pytest.mark.parametrize(
    "field", ["name", "description", "comment", "email", "periodicity", "schedule", "timezone", "search", "id", "slug"]
)
@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\u2028"])
def test_a_control_character_is_refused_or_finds_nothing(server: CoalMine, canary: Any, field: str, character: str) -> None:
    command = {"comment": "pause", "search": "list", "id": "get", "slug": "get"}.get(field, "update")
    base = {"id": canary["id"]} if command in ("update", "pause") else {}
    base |= {"schedule": "* * * * *"} if field == "timezone" else {}
    answer = server.get(f"{API}/{command}", **base, **{field: f"a{character}@b"})

    assert answer.status_code in ((200,) if command == "list" else (400, 404))
    assert_unharmed(server, canary)


@pytest.mark.parametrize("text", ["one\r\nBcc: victim@example.test", "one\ntwo", "one\rtwo"])
def test_a_name_cannot_carry_a_line_into_a_mails_header(server: CoalMine, text: str) -> None:
    answer = server.get(f"{API}/create", name=text, periodicity=60)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("name contains the control character U+00")


@pytest.mark.parametrize("address", ["a@example.test\r\nBcc: b@example.test", "a@example.test\nb@example.test"])
def test_an_address_cannot_carry_a_line_into_a_mails_header(server: CoalMine, name: str, address: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=60, email=address)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("email contains the control character U+00")


def test_an_address_may_stand_between_blanks(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, email=" a@example.test\r\n")["canary"]

    assert canary["emails"] == ["a@example.test"]


@pytest.mark.parametrize(
    ("field", "limit", "letter"), [("name", 255, "n"), ("description", 10_000, "d"), ("name", 255, "\N{SNOWMAN}"), ("email", 254, "e")]
)
def test_texts_up_to_the_limit_are_kept_and_longer_ones_refused(server: CoalMine, name: str, field: str, limit: int, letter: str) -> None:
    end = "@b" if field == "email" else name[-8:]
    longest = letter * (limit - len(end)) + end
    base = {"name": name, "periodicity": "60"}
    refused = exchange(server, form("create", urlencode(base | {field: letter + longest}).encode()))
    kept = exchange(server, form("create", urlencode(base | {field: longest}).encode()))

    assert (refused.status, refused.error) == (400, f"{field} has {limit + 1} characters; at most {limit} are allowed")
    assert kept.status == 200
    assert kept.json["canary"].get(field, kept.json["canary"]["emails"]) in (longest, [longest])


def test_more_than_a_hundred_addresses_are_refused(server: CoalMine, name: str) -> None:
    addresses = [f"{number}@example.test" for number in range(101)]

    assert server.get(f"{API}/create", name=name, periodicity=60, email=addresses).status_code == 400
    assert len(server.call("create", name=name, periodicity=60, email=addresses[:100])["canary"]["emails"]) == 100


# Bytes that are no UTF-8


@pytest.mark.parametrize("value", [b"%ff", b"a%c3", b"%c0%80", b"%ed%a0%80"])
@pytest.mark.parametrize("field", [b"name", b"id", b"search", b"x%fe"])
def test_a_query_that_is_no_utf8_is_refused(server: CoalMine, field: bytes, value: bytes) -> None:
    answer = exchange(server, request("GET", API.encode() + b"/list?" + field + b"=" + value))

    assert answer.status == 400
    assert answer.error.endswith("is not valid UTF-8") or answer.error.startswith("unknown parameter")


@pytest.mark.parametrize("body", [b"name=%ff", b"name=\xff", b"%ff=name", b"description=\xed\xa0\x80"])
def test_a_form_that_is_no_utf8_is_refused(server: CoalMine, canary: Any, body: bytes) -> None:
    answer = exchange(server, form("update", f"id={canary['id']}&".encode() + body))

    assert (answer.status, answer.error.endswith("is not valid UTF-8")) == (400, True)
    assert_unharmed(server, canary)


def test_utf8_need_not_be_percent_encoded(server: CoalMine, canary: Any) -> None:
    target = f"/{canary['id']}?comment=caf\N{LATIN SMALL LETTER E WITH ACUTE}-\N{SNOWMAN}"
    exchange(server, request("GET", target))

    text = server.call("get", id=canary["id"])["canary"]["history"][0][1]
    assert text == "Triggered (caf\N{LATIN SMALL LETTER E WITH ACUTE}-\N{SNOWMAN})"


@pytest.mark.parametrize("path", ["/%ff", "/{half}%ff{rest}", "/{id}%ff", API + "/list%ff", "/%c3", "/%ed%a0%80"])
def test_a_path_that_is_no_utf8_is_refused(server: CoalMine, canary: Any, path: str) -> None:
    answer = exchange(server, request("GET", path.format(half=canary["id"][:4], rest=canary["id"][4:], **canary)))

    assert (answer.status, answer.error) == (400, "400 Bad Request: the path is not valid UTF-8")
    assert_unharmed(server, canary)


@pytest.mark.parametrize(
    "path", ["/%00", "/%2f..%2fetc", "/%2F%2F", "/\N{SNOWMAN}", "/..", f"{API}/", f"{API}/list/", f"{API}/../canary/list", "/a;b", "*"]
)
def test_an_odd_path_is_not_found(server: CoalMine, path: str) -> None:
    answer = exchange(server, request("GET", path))

    assert answer.status == 404
    assert answer.error.startswith("404 Not Found")


def test_a_percent_encoded_slash_is_a_slash(server: CoalMine, canary: Any) -> None:
    answer = exchange(server, request("GET", f"/coal-mine%2Fv1%2fcanary/get?id={canary['id']}"))

    assert answer.json["canary"] == canary


# Bodies


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"description": "x"}'),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="description"\r\n\r\ny\r\n--x--\r\n'),
        ("text/plain", b"description=x"),
        ("", b"description=x"),
    ],
)
def test_a_body_that_is_no_form_is_refused(server: CoalMine, canary: Any, kind: str, body: bytes) -> None:
    sent = request("POST", f"{API}/update?id={canary['id']}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", body=body)
    answer = exchange(server, sent)

    assert answer.status == 400
    assert answer.error.startswith("a body must be a form (application/x-www-form-urlencoded), not ")
    assert_unharmed(server, canary)


def test_a_form_may_name_its_alphabet(server: CoalMine, canary: Any) -> None:
    body = f"id={canary['id']}".encode()
    kind = "Content-Type: Application/X-WWW-Form-Urlencoded; charset=UTF-8"

    assert exchange(server, request("POST", f"{API}/get", kind, f"Content-Length: {len(body)}", body=body)).status == 200


def test_a_name_of_a_megabyte_is_refused(server: CoalMine) -> None:
    answer = exchange(server, form("create", b"periodicity=60&name=" + b"n" * 1_000_000))

    assert (answer.status, answer.error) == (413, "the body has 1000020 bytes; at most 262144 are allowed")


def test_a_form_at_the_limit_is_read(server: CoalMine) -> None:
    answer = exchange(server, form("create", b"periodicity=60&name=".ljust(262_144, b"n")))

    assert (answer.status, answer.error) == (400, "name has 262124 characters; at most 255 are allowed")


@pytest.mark.parametrize("length", ["abc", "-5", "+5", "1e3", "0x10", "99999999999999999999999", "5, 6", ""])
def test_a_bad_content_length_is_refused(server: CoalMine, canary: Any, length: str) -> None:
    answer = exchange(server, request("POST", f"{API}/update?id={canary['id']}", FORM, f"Content-Length: {length}", body=b"description=x"))

    assert answer.status == 400
    assert_unharmed(server, canary)


def test_two_content_lengths_are_refused(server: CoalMine, canary: Any) -> None:
    headers = (FORM, "Content-Length: 13", "Content-Length: 5")
    answer = exchange(server, request("POST", f"{API}/update?id={canary['id']}", *headers, body=b"description=x"))

    assert answer.status == 400
    assert_unharmed(server, canary)


def test_half_a_form_changes_nothing(server: CoalMine, canary: Any) -> None:
    sent = request("POST", f"{API}/update?id={canary['id']}", FORM, "Content-Length: 20", body=b"description=x")
    answer = exchange(server, sent, end=True)

    assert (answer.status, answer.error) == (400, "the body ended after 13 of 20 bytes")
    assert_unharmed(server, canary)


CHUNKS = [
    b"d\r\ndescription=x\r\n0\r\n\r\n",
    b"d\r\ndescription=x\r\nzz\r\n",
    b"d\r\ndescription=x\r\n",
    b"zz\r\n",
    b"ffffffffffffffffff\r\n",
    b"",
]


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("more", [(), ("Content-Length: 13",)])
def test_a_body_in_chunks_is_refused(server: CoalMine, canary: Any, chunks: bytes, more: tuple[str, ...]) -> None:
    headers = (FORM, "Transfer-Encoding: chunked", *more)
    answer = exchange(server, request("POST", f"{API}/update?id={canary['id']}", *headers, body=chunks))

    assert (answer.status, answer.error) == (400, "a body must come with its Content-Length, not in chunks")
    assert_unharmed(server, canary)


# Requests


def test_requests_sent_without_waiting_are_answered_in_order(server: CoalMine, canary: Any) -> None:
    first = request("GET", f"/{canary['id']}?comment=first", close=False)
    second = request("POST", f"/{canary['id']}?comment=second", "Content-Length: 9", body=b"not read!", close=False)
    answers = exchange_all(server, first + second + request("GET", f"{API}/get?id={canary['id']}"))

    assert [answer.status for answer in answers] == [200, 200, 200]
    history = [text for _, text in answers[2].json["canary"]["history"]]
    assert history == ["Triggered (second)", "Triggered (first)", "Canary created"]


HARDLY_HTTP = {
    "long query": (request("GET", f"{API}/create?periodicity=60&name=" + "n" * 70_000), 414),
    "long path": (request("GET", "/" + "n" * 70_000), 414),
    "very long query": (request("GET", f"{API}/create?periodicity=60&name=" + "n" * 1_000_000), 431),
    "long header": (request("GET", "/health", "X-Long: " + "n" * 1_000_000), 431),
    "many headers": (request("GET", "/health", *(f"X-{number}: n" for number in range(200))), 431),
    "no version": (b"GET /health\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "bytes in the path": (b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no colon": (b"GET /health HTTP/1.1\r\nno header\r\n\r\n", 400),
    "NUL": (b"GET /health HTTP/1.1\r\nHost: local\0host\r\n\r\n", 400),
}


@pytest.mark.parametrize("what", HARDLY_HTTP)
def test_what_is_hardly_http_gets_a_status_and_the_server_goes_on(server: CoalMine, canary: Any, what: str) -> None:
    sent, status = HARDLY_HTTP[what]

    assert exchange(server, sent).status == status
    assert_unharmed(server, canary)
