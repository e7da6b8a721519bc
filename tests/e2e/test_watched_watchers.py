"""A background is killed, hangs, or ends cleanly, and the other processes notice. Real processes, a real MongoDB, real mail.

Nobody waits for a lease here: what a dead process wrote last is made to look older, as if its time had come.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.mail import MailServer, body
from tests.support.mongod import Mongod
from tests.support.moody_mail import Mood, MoodyMailServer
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import until

OPERATORS = ("ops@example.test", "jo@example.test")
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Place:
    """A database, a process for HTTP that has been in contact with it for long enough to judge, and how to start more."""

    database: Database[dict[str, Any]]
    ini: str
    web: CoalMine
    directory: Path

    @property
    def servers(self) -> list[dict[str, Any]]:
        return list(self.database["servers"].find())

    def make_old(self, pid: int) -> None:
        (found,) = [server for server in self.servers if server["pid"] == pid]
        self.database["servers"].update_one({"_id": found["_id"]}, {"$set": {"seen_at": found["seen_at"] - A_MINUTE}})

    def wait_for_a_look_of_all_others(self, pid: int) -> None:
        """Two beats of each, since it looks after it has beaten."""
        others = {server["_id"] for server in self.servers if server["pid"] != pid}
        for _ in range(2):
            self._wait_for_beats(others, datetime.now(UTC))

    def _wait_for_beats(self, ids: set[str], since: datetime) -> None:
        seen = {"_id": {"$in": list(ids)}, "seen_at": {"$gt": since}}
        until("a beat of everybody", lambda: self.database["servers"].count_documents(seen) == len(ids))

    @property
    def health(self) -> dict[str, Any]:
        return dict(self.web.get("/health").json())


Start = Callable[[Place], Background]
Settings = Callable[[Mongod, Database[dict[str, Any]], MailServer], str]


def with_operators(mongod: Mongod, database: Database[dict[str, Any]], mail: MailServer) -> str:
    return f"{shared_settings(mongod, database, mail)}[alerts]\noperators = {', '.join(OPERATORS)}\n"


def without_operators(mongod: Mongod, database: Database[dict[str, Any]], _mail: MailServer) -> str:
    return f"[mongodb]\nhosts = {mongod.uri}\ndatabase = {database.name}\n[wsgi]\nhost = 127.0.0.1\n"


@pytest.fixture(scope="module")
def mail() -> Iterator[MoodyMailServer]:
    with MoodyMailServer() as running:
        yield running


@pytest.fixture(scope="module")
def places(mongod: Mongod, mail: MoodyMailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    """All at once, so that the time until they may judge passes only once."""
    with ExitStack() as stack:

        def open_place(name: str, settings: Settings) -> Place:
            directory = tmp_path_factory.mktemp(name)
            database = stack.enter_context(database_of(mongod))
            ini = settings(mongod, database, mail)
            return Place(database, ini, stack.enter_context(CoalMine(directory / "web", "--web", ini=ini)), directory)

        opened = {"guarded": open_place("guarded", with_operators), "alone": open_place("alone", with_operators)}
        opened["unheard"] = open_place("unheard", without_operators)
        stack.enter_context(Background(opened["guarded"].directory / "steady", ini=opened["guarded"].ini))
        for place in opened.values():
            until("a judgement", lambda place=place: "backgrounds" in place.health)
        until("the steady background", lambda: opened["guarded"].health["backgrounds"]["alive"] == 1)
        yield opened


@pytest.fixture(autouse=True)
def good_mood(mail: MoodyMailServer) -> Iterator[None]:
    yield
    mail.mood = Mood.GOOD


@pytest.fixture
def guarded(places: dict[str, Place]) -> Place:
    """With a background that goes on."""
    return places["guarded"]


@pytest.fixture
def alone(places: dict[str, Place]) -> Place:
    """Without one."""
    return places["alone"]


@pytest.fixture
def unheard(places: dict[str, Place]) -> Place:
    """Without one, without operators and without mail settings."""
    return places["unheard"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a background that has shown the others that it lives."""
    started: list[tuple[Place, int]] = []
    with ExitStack() as stack:

        def start_one(place: Place) -> Background:
            background = stack.enter_context(Background(tmp_path / f"background-{len(started)}", ini=place.ini))
            started.append((place, background.pid))
            until("its first beat", lambda: background.pid in [server["pid"] for server in place.servers])
            return background

        yield start_one
    for place, pid in started:
        place.database["servers"].delete_many({"pid": pid})


def stopped(pid: int) -> str:
    return f"[STOPPED] background process {pid} on "


def mails(mail: MailServer, beginning: str) -> list[str]:
    """Who got a mail with that subject, once for each."""
    return sorted(str(message["To"]) for message in mail.messages if str(message["Subject"]).startswith(beginning))


def wait_for_mails(mail: MailServer, beginning: str) -> None:
    until(f"a mail {beginning!r} to each operator", lambda: set(mails(mail, beginning)) == set(OPERATORS))


def test_a_background_that_is_killed_is_told_once_to_each_operator(guarded: Place, start: Start, mail: MoodyMailServer) -> None:
    victim = start(guarded)
    victim.stop(signal.SIGKILL)
    guarded.make_old(victim.pid)
    wait_for_mails(mail, stopped(victim.pid))
    guarded.wait_for_a_look_of_all_others(victim.pid)

    assert mails(mail, stopped(victim.pid)) == sorted(OPERATORS)


def test_the_mail_says_that_another_background_is_alive(guarded: Place, start: Start, mail: MoodyMailServer) -> None:
    victim = start(guarded)
    victim.stop(signal.SIGKILL)
    guarded.make_old(victim.pid)
    wait_for_mails(mail, stopped(victim.pid))
    told = next(message for message in mail.messages if str(message["Subject"]).startswith(stopped(victim.pid)))

    assert "Another background is alive: deadlines are watched and alerts leave as before." in body(told)


def test_it_is_told_while_a_storm_for_the_same_address_is_still_under_way(alone: Place, start: Start, mail: MoodyMailServer) -> None:
    """The mail server takes the storm's digest and does not say so."""
    for number in range(25):
        alone.web.call("create", name=f"Storm {number}", periodicity="0.01", email=OPERATORS[0])
    mail.mood = Mood.HOLDS
    victim, _ = start(alone), start(alone)
    mail.wait_for("[25 LATE] Coal Mine digest")
    victim.stop(signal.SIGKILL)
    alone.make_old(victim.pid)
    wait_for_mails(mail, stopped(victim.pid))
    storm_is_under_way = alone.database["deliveries"].count_documents({"receiver": f"email|{OPERATORS[0]}", "state": "waiting"})

    assert storm_is_under_way == 25
    assert not any("STOPPED" in body(message) for message in mail.messages if message["Subject"] == "[25 LATE] Coal Mine digest")


def test_when_the_last_background_is_killed_the_web_process_tells(alone: Place, start: Start, mail: MoodyMailServer) -> None:
    victim = start(alone)
    victim.stop(signal.SIGKILL)
    alone.make_old(victim.pid)
    wait_for_mails(mail, stopped(victim.pid))
    told = next(message for message in mail.messages if str(message["Subject"]).startswith(stopped(victim.pid)))

    assert "No other background was alive: until one is, no canary becomes late and no alert of a canary leaves." in body(told)


def test_a_background_that_is_ended_by_sigterm_leaves_nothing_that_could_be_told(
    guarded: Place, start: Start, mail: MoodyMailServer
) -> None:
    victim = start(guarded)
    status = victim.stop(signal.SIGTERM)

    assert status == 0
    assert victim.pid not in [server["pid"] for server in guarded.servers]
    assert mails(mail, stopped(victim.pid)) == []


def test_a_background_that_was_only_held_up_is_told_to_be_back(guarded: Place, start: Start, mail: MoodyMailServer) -> None:
    victim = start(guarded)
    back = f"[RESUMED] background process {victim.pid} on "
    os.kill(victim.pid, signal.SIGSTOP)
    guarded.make_old(victim.pid)
    wait_for_mails(mail, stopped(victim.pid))
    os.kill(victim.pid, signal.SIGCONT)
    wait_for_mails(mail, back)
    guarded.wait_for_a_look_of_all_others(victim.pid)

    assert mails(mail, stopped(victim.pid)) == mails(mail, back) == sorted(OPERATORS)


def test_without_operators_the_process_that_notices_logs_an_error(unheard: Place, start: Start) -> None:
    victim = start(unheard)
    victim.stop(signal.SIGKILL)
    unheard.make_old(victim.pid)
    told = f"background process {victim.pid} on "
    until("the line in the log", lambda: told in unheard.web.log)
    lines = [line for line in unheard.web.log.splitlines() if told in line]

    assert len(lines) == 1
    assert " ERROR " in lines[0]


def test_health_is_degraded_and_still_answers_200_when_no_background_lives(unheard: Place, start: Start) -> None:
    victim = start(unheard)
    until("the background on /health", lambda: unheard.health["status"] == "ok")
    victim.stop(signal.SIGKILL)
    unheard.make_old(victim.pid)
    until("the change on /health", lambda: unheard.health["status"] != "ok")
    answer = unheard.web.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["backgrounds"] == {"alive": 0, "stopped": 1}
    assert answer.json()["warning"] == "no background is alive: no canary becomes late and no alert leaves"


def test_health_is_well_again_when_another_background_has_started(guarded: Place, start: Start) -> None:
    victim = start(guarded)
    victim.stop(signal.SIGKILL)
    guarded.make_old(victim.pid)
    until("the stop on /health", lambda: guarded.health["backgrounds"] == {"alive": 1, "stopped": 1})
    degraded = guarded.health["status"]
    start(guarded)
    until("its successor on /health", lambda: guarded.health["backgrounds"] == {"alive": 2, "stopped": 0})

    assert (degraded, guarded.health["status"]) == ("degraded", "ok")
