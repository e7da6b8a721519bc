"""Two processes for HTTP and two for the background share a replica set and know nothing of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.load import Load
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import until

LAST = "[LATE] Last has not reported"


@pytest.fixture
def webs(replica_set: Mongod, mail: MailServer, tmp_path: Path) -> Iterator[list[CoalMine]]:
    """Those that take triggers; the two that alert are there as well."""
    with database_of(replica_set) as database, ExitStack() as stack:
        ini = shared_settings(replica_set, database, mail)
        for number in range(2):
            stack.enter_context(Background(tmp_path / f"background-{number}", ini=ini))
        yield [stack.enter_context(CoalMine(tmp_path / f"web-{number}", "--web", ini=ini)) for number in range(2)]


def test_each_change_of_state_alerts_once_however_many_processes_there_are(webs: list[CoalMine], mail: MailServer) -> None:
    first, second = webs
    names = [f"Shared {number}" for number in range(12)]
    everybody = [f"{number}@example.test" for number in range(len(names))]
    ids = [first.call("create", name=name, periodicity="1", email=to)["canary"]["id"] for name, to in zip(names, everybody, strict=True)]
    late = {f"[LATE] {name} has not reported" for name in names}
    resumed = {f"[RESUMED] {name} is reporting again" for name in names}
    until("all LATE mails", lambda: set(mail.subjects()) == late)
    for each in ids:
        second.call("update", id=each, periodicity="3600")
        second.call("trigger", id=each)
    until("all RESUMED mails", lambda: set(mail.subjects()) == late | resumed)
    # A receiver gets mails in their order, so when these have come no other one is under way.
    first.call("create", name="Last", periodicity="0.5", email=everybody)
    until("a last mail for each", lambda: mail.subjects().count(LAST) == len(names))

    assert Counter(mail.subjects()) == Counter({**dict.fromkeys(late | resumed, 1), LAST: len(names)})


def test_triggers_through_either_server_keep_a_canary_from_being_late(webs: list[CoalMine], mail: MailServer) -> None:
    """Each server is silent for longer than the canary may be."""
    first, second = webs
    canary = first.call("create", name="Shared", periodicity="15", email="a@example.test")["canary"]
    with Load(first.url, canary["id"], rate=20) as one:
        until("triggers through the first", lambda: one.answered > 10)
    with Load(second.url, canary["id"], rate=20) as other:
        first.call("create", name="Last", periodicity="16", email="a@example.test")
        mail.wait_for(LAST)
    with Load(first.url, canary["id"], rate=20) as last:
        until("triggers through the first", lambda: last.answered > 10)

    assert (one.failed, other.failed, last.failed) == ([], [], [])
    assert mail.subjects() == [LAST]


def test_what_one_server_has_stored_the_other_shows_at_once(webs: list[CoalMine]) -> None:
    first, second = webs
    created = first.call("create", name="Shared", periodicity="3600")["canary"]
    second.call("trigger", id=created["id"], comment="through the second")
    shown = first.call("get", id=created["id"])["canary"]

    assert [text for _, text in shown["history"]] == ["Triggered (through the second)", "Canary created"]
