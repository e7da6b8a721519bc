"""Somebody outside hears from a real server as long as it does its work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.listener import Listener
from tests.support.mail import MailServer
from tests.support.mongod import OwnMongod
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import until

SECRET = "/s3cret-ping"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as running:
        yield running


@pytest.fixture
def ini(listener: Listener, mail: MailServer, tmp_path: Path) -> str:
    return (
        f"[heartbeat]\nurl = {listener.url}{SECRET}\ninterval = 1\n[sqlite]\npath = {tmp_path}/cm.sqlite3\n"
        f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n[wsgi]\nhost = 127.0.0.1\n"
    )


def wait_for_more(listener: Listener) -> None:
    seen = len(listener.calls)
    until("more pings", lambda: len(listener.calls) > seen + 1)


def test_pings_come_as_long_as_it_runs(ini: str, listener: Listener, tmp_path: Path) -> None:
    with CoalMine(tmp_path / "server", ini=ini):
        wait_for_more(listener)

    assert set(listener.calls) == {SECRET}


def test_no_ping_comes_while_no_mail_can_be_delivered(ini: str, listener: Listener, mail: MailServer, tmp_path: Path) -> None:
    with CoalMine(tmp_path / "server", ini=ini) as server:
        wait_for_more(listener)
        mail.stop()
        server.call("create", name="Unheard", periodicity="0.1", email="a@example.test")
        until("the silence in the log", lambda: "no ping: no message could be delivered" in server.log)
        before = len(listener.calls)
        until("a later try", lambda: "next try in 4 s" in server.log)
        meanwhile = len(listener.calls) - before
        mail.start()
        mail.wait_for("[LATE] Unheard has not reported")
        wait_for_more(listener)

    assert meanwhile == 0
    assert "pings are sent again" in server.log


def test_no_ping_comes_while_the_store_is_away(listener: Listener, mail: MailServer, tmp_path: Path) -> None:
    with OwnMongod() as mongod, database_of(mongod) as database:
        ini = f"{shared_settings(mongod, database, mail)}[heartbeat]\nurl = {listener.url}{SECRET}\ninterval = 1\n"
        with Background(tmp_path / "background", ini=ini) as background:
            wait_for_more(listener)
            mongod.kill()
            # Such a call has waited for some seconds, so what succeeded before has been told long since.
            until("a loop in need of the store", lambda: "watcher: MongoDB" in background.log)
            before = len(listener.calls)
            until("another one", lambda: background.log.count("watcher: MongoDB") > 1)
            meanwhile = len(listener.calls) - before
            mongod.start()
            wait_for_more(listener)

    assert meanwhile == 0
    assert "no ping: no success since the last one:" in background.log


def test_one_that_does_not_answer_holds_up_no_alert(ini: str, listener: Listener, mail: MailServer, tmp_path: Path) -> None:
    listener.may_answer.clear()
    with CoalMine(tmp_path / "server", ini=ini) as server:
        until("a ping", lambda: listener.calls)
        server.call("create", name="Not held up", periodicity="0.1", email="a@example.test")
        mail.wait_for("[LATE] Not held up has not reported")
        answered = listener.answered
        listener.may_answer.set()

    assert answered == 0


def test_the_url_is_told_to_nobody(ini: str, listener: Listener, tmp_path: Path) -> None:
    listener.status = 500
    with CoalMine(tmp_path / "server", ini=ini) as server:
        until("the failure in the log", lambda: "no ping: the URL answers with status 500" in server.log)
        health = server.get("/health").text

    assert SECRET not in server.log + health


def test_another_coal_mine_can_listen(ini: str, mail: MailServer, listener: Listener, tmp_path: Path) -> None:
    with CoalMine(tmp_path / "other", ini=f"[sqlite]\npath = {tmp_path}/other.sqlite3\n[wsgi]\nhost = 127.0.0.1\n") as other:
        canary = other.call("create", name="The first Coal Mine", periodicity="3600")["canary"]
        with CoalMine(tmp_path / "server", ini=ini.replace(listener.url + SECRET, f"{other.url}/{canary['id']}")):
            until("triggers", lambda: len(other.call("get", id=canary["id"])["canary"]["history"]) > 2)
        history = other.call("get", id=canary["id"])["canary"]["history"]

    assert {text for _, text in history} == {"Canary created", "Triggered"}
