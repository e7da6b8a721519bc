"""trigger and /<id>: the call that says "I ran"."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.api.times import seconds_between
from tests.support.server import API, CoalMine
from tests.support.waiting import until

TIMELY = {"status": "ok", "recovered": False, "unpaused": False}


def newest(server: CoalMine, canary: Any) -> str:
    return str(server.call("get", id=canary["id"])["canary"]["history"][0][1])


@pytest.mark.parametrize("by", ["id", "slug", "name"])
def test_a_canary_is_triggered_by_id_slug_or_name(server: CoalMine, canary: Any, by: str) -> None:
    answer = server.call("trigger", **{by: canary[by]})

    assert answer == TIMELY
    assert newest(server, canary) == "Triggered"


@pytest.mark.parametrize("slashes", ["/", "//"])
def test_the_id_alone_is_the_short_form(server: CoalMine, canary: Any, slashes: str) -> None:
    answer = server.get(slashes + canary["id"])

    assert answer.json() == TIMELY
    assert newest(server, canary) == "Triggered"


def test_the_id_in_the_path_goes_before_the_one_in_the_query(server: CoalMine, canary: Any) -> None:
    assert server.get(f"/{canary['id']}", id="aaaaaaaa").json() == TIMELY


def test_the_fields_come_in_the_documented_order(server: CoalMine, canary: Any) -> None:
    assert list(server.call("trigger", id=canary["id"])) == ["status", "recovered", "unpaused"]


def test_the_deadline_moves_to_the_trigger_plus_the_periodicity(server: CoalMine, canary: Any) -> None:
    server.get(f"/{canary['id']}")
    triggered = server.call("get", id=canary["id"])["canary"]

    assert seconds_between(triggered["history"][0][0], triggered["deadline"]) == 3600


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"comment": "3 files"}, "Triggered (3 files)"),
        ({"m": "3 files"}, "Triggered (3 files)"),
        ({"m": "short", "comment": "long"}, "Triggered (long)"),
        ({"comment": ""}, "Triggered"),
        ({"comment": "\N{LATIN SMALL LETTER E WITH ACUTE}\N{SNOWMAN}"}, "Triggered (\N{LATIN SMALL LETTER E WITH ACUTE}\N{SNOWMAN})"),
        ({"comment": "two\nlines"}, "Triggered (two\nlines)"),
    ],
)
def test_a_comment_enters_the_history(server: CoalMine, canary: Any, parameters: dict[str, str], text: str) -> None:
    server.get(f"/{canary['id']}", **parameters)

    assert newest(server, canary) == text


def test_the_history_is_newest_first(server: CoalMine, canary: Any) -> None:
    for comment in "abc":
        server.get(f"/{canary['id']}", comment=comment)
    history = server.call("get", id=canary["id"])["canary"]["history"]

    assert [text for _, text in history] == ["Triggered (c)", "Triggered (b)", "Triggered (a)", "Canary created"]
    assert [at for at, _ in history] == sorted((at for at, _ in history), reverse=True)


def test_a_late_canary_recovers(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=0.001)["canary"]
    until("a late canary", lambda: server.call("get", id=canary["id"])["canary"]["late"])
    answer = server.get(f"/{canary['id']}").json()

    assert answer == TIMELY | {"recovered": True}


def test_a_recovered_canary_is_timely(server: CoalMine, canary: Any) -> None:
    server.call("update", id=canary["id"], periodicity=0.001)
    server.call("update", id=canary["id"], schedule="0 0 1 1 *")
    server.get(f"/{canary['id']}")

    assert server.call("get", id=canary["id"])["canary"]["late"] is False


def test_a_paused_canary_is_unpaused(server: CoalMine, canary: Any) -> None:
    server.call("pause", id=canary["id"])
    answer = server.get(f"/{canary['id']}").json()

    assert answer == TIMELY | {"unpaused": True}


def test_an_unpaused_canary_has_a_deadline_again(server: CoalMine, canary: Any) -> None:
    server.call("pause", id=canary["id"])
    server.get(f"/{canary['id']}")
    triggered = server.call("get", id=canary["id"])["canary"]

    assert (triggered["paused"], "deadline" in triggered) == (False, True)


@pytest.mark.parametrize("path", ["/aaaaaaaa", f"{API}/trigger?id=aaaaaaaa", f"{API}/trigger?slug=nope", f"{API}/trigger?name=nope"])
def test_an_unknown_canary_is_not_found(server: CoalMine, path: str) -> None:
    answer = server.get(path)

    assert answer.status_code == 404
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("path", ["/AAAAAAAA", "/aaaaaaa", "/aaaaaaaaa", "/aaaaaaa1", "/aaaaaaaa/", "///aaaaaaaa", "/favicon.ico", "/"])
def test_what_does_not_look_like_an_id_is_no_trigger(server: CoalMine, path: str) -> None:
    answer = server.get(path)

    assert answer.status_code == 404
    assert answer.json()["error"].startswith("404 Not Found")


def test_a_comment_that_is_too_long_is_refused_and_the_canary_unharmed(server: CoalMine, canary: Any) -> None:
    answer = server.get(f"/{canary['id']}", comment="x" * 4_097)

    assert (answer.status_code, answer.json()["error"]) == (400, "comment has 4097 characters; at most 4096 are allowed")
    assert server.get(f"/{canary['id']}", comment="x" * 4_096).json() == TIMELY


def test_of_many_triggers_the_newest_thousand_are_shown(server: CoalMine, canary: Any) -> None:
    with requests.Session() as session, ThreadPoolExecutor(4) as threads:
        statuses = set(threads.map(lambda _: session.get(f"{server.url}/{canary['id']}").status_code, range(1_010)))
    history = server.call("get", id=canary["id"])["canary"]["history"]

    assert statuses == {200}
    assert [text for _, text in history] == ["Triggered"] * 1_000
