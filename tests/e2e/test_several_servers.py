"""Two processes for HTTP and two for the background share a replica set and know nothing of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.load import Load
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import until


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Those that take triggers, and the mail server of the two that alert."""

    first: CoalMine
    second: CoalMine
    mail: MailServer


@pytest.fixture(scope="module")
def place(replica_set: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Tests share it, so each makes canaries with names and receivers of its own."""
    directory = tmp_path_factory.mktemp("several")
    with database_of(replica_set) as database, MailServer() as mail, ExitStack() as stack:
        ini = shared_settings(replica_set, database, mail)
        for number in range(2):
            stack.enter_context(Background(directory / f"background-{number}", ini=ini))
        first, second = (stack.enter_context(CoalMine(directory / f"web-{number}", "--web", ini=ini)) for number in range(2))
        yield Place(first=first, second=second, mail=mail)


def test_each_change_of_state_alerts_once_however_many_processes_there_are(place: Place) -> None:
    first, second = place.first, place.second
    names = [f"Changing {number}" for number in range(12)]
    everybody = [f"{number}@changing.test" for number in range(len(names))]
    ids = [first.call("create", name=name, periodicity="1", email=to)["canary"]["id"] for name, to in zip(names, everybody, strict=True)]

    def told() -> list[str]:
        return [subject for to in everybody for subject in place.mail.subjects(to)]

    late = {f"[LATE] {name} has not reported" for name in names}
    resumed = {f"[RESUMED] {name} is reporting again" for name in names}
    until("all LATE mails", lambda: set(told()) == late)
    for each in ids:
        second.call("update", id=each, periodicity="3600")
        second.call("trigger", id=each)
    until("all RESUMED mails", lambda: set(told()) == late | resumed)
    # A receiver gets mails in their order, so when these have come no other one is under way.
    first.call("create", name="Last change", periodicity="0.5", email=everybody)
    last = "[LATE] Last change has not reported"
    until("a last mail for each", lambda: told().count(last) == len(names))

    assert Counter(told()) == Counter({**dict.fromkeys(late | resumed, 1), last: len(names)})


def test_triggers_through_either_server_keep_a_canary_from_being_late(place: Place) -> None:
    """Each server is silent for longer than the canary may be."""
    first, second, last = place.first, place.second, "[LATE] Last has not reported"
    canary = first.call("create", name="Punctual", periodicity="10", email="punctual@example.test")["canary"]
    with Load(first.url, canary["id"], rate=20) as one:
        until("triggers through the first", lambda: one.answered > 10)
    with Load(second.url, canary["id"], rate=20) as other:
        first.call("create", name="Last", periodicity="11", email="punctual@example.test")
        place.mail.wait_for(last)
    with Load(first.url, canary["id"], rate=20) as again:
        until("triggers through the first", lambda: again.answered > 10)

    assert (one.failed, other.failed, again.failed) == ([], [], [])
    assert place.mail.subjects("punctual@example.test") == [last]


def test_what_one_server_has_stored_the_other_shows_at_once(place: Place) -> None:
    first, second = place.first, place.second
    created = first.call("create", name="Shared", periodicity="3600")["canary"]
    second.call("trigger", id=created["id"], comment="through the second")
    shown = first.call("get", id=created["id"])["canary"]

    assert [text for _, text in shown["history"]] == ["Triggered (through the second)", "Canary created"]
