"""One scenario: servers under traffic, mishaps at random moments, then the verdict on all that was seen."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from coal_mine.clock import monotonic
from tests.faults.checker import Case, Verdict, judge, untold
from tests.faults.facts import Sent, Told, Watched, told_by, watched_from
from tests.faults.processes import KeptServer
from tests.faults.traffic import Roster, Traffic
from tests.support.mail import MailServer
from tests.support.waiting import until

CANARIES = 36
# Triggers a second. On a replica set 200 are more than a processor can do, which the other short tests need as well.
LONG_RATE = 200.0
SHORT_RATE = 100.0
EVERYBODY = "all@example.test"
GONE = "gone@example.test"
# A history longer than what the API shows could not be judged, so long scenarios begin anew with fresh canaries.
ROUND_SECONDS = 60.0
# A receiver who could not be reached is left alone for up to as long as that lasted.
SETTLE_SECONDS = 60.0
# Nine kinds take a minute on a replica set. So each short run draws some of them; all together they meet all soon enough.
EVERYDAY_MISHAPS = 4

Mishap = Callable[[random.Random], None]


def seconds() -> float:
    """How long each scenario lasts at least; short unless FAULTS_SECONDS says otherwise."""
    return float(os.environ.get("FAULTS_SECONDS", "2"))


def is_long() -> bool:
    return "FAULTS_SECONDS" in os.environ


def new_seed() -> int:
    return int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1_000_000))


def pause(chance: random.Random, least: float, most: float) -> None:
    threading.Event().wait(chance.uniform(least, most))


class Scene:
    """Servers that share a store and a mail server."""

    def __init__(self, servers: Sequence[KeptServer], mail: MailServer) -> None:
        self._servers = servers
        self._mail = mail
        self._told: list[Told] = []
        self._parsed = 0
        self._seed = new_seed()
        self._chance = random.Random(self._seed)

    def play(self, mishaps: Mapping[str, Mishap]) -> None:
        """Rounds until the time is over, each with every mishap at least once, or with some in a short run; fails with the faults found."""
        end = monotonic() + seconds()
        if not is_long():
            mishaps = dict(self._chance.sample(list(mishaps.items()), min(len(mishaps), EVERYDAY_MISHAPS)))
        print(f"\nseed {self._seed}")  # noqa: T201 - for whoever wants to repeat it
        while True:
            verdict, done = self._round(mishaps, min(end, monotonic() + ROUND_SECONDS))
            restarts = sum(server.restarts for server in self._servers)
            happened = ", ".join(f"{name} {count}" for name, count in done.items())
            print(f"{verdict}; mishaps: {happened}; restarts {restarts}")  # noqa: T201 - the counts
            assert not verdict.faults, f"{len(verdict.faults)} faults\n" + "\n".join(verdict.faults[:30])
            if monotonic() >= end:
                return

    def _round(self, mishaps: Mapping[str, Mishap], end: float) -> tuple[Verdict, Counter[str]]:
        canaries = [self._create(number) for number in range(CANARIES)]
        roster = Roster(canaries, random.Random(self._seed))
        with Traffic([server.port for server in self._servers], roster, LONG_RATE if is_long() else SHORT_RATE) as traffic:
            self._wait_for_more(traffic)
            done = self._provoke(mishaps, end)
            self._wait_until_whole()
            self._wait_for_more(traffic)
        self._wait_until_all_are_late(canaries)
        for server in self._servers:
            server.wait_for_orphans()
        return self._judge(canaries, traffic.sent), done

    def _provoke(self, mishaps: Mapping[str, Mishap], end: float) -> Counter[str]:
        done: Counter[str] = Counter()
        while monotonic() < end or len(done) < len(mishaps):
            for name in self._chance.sample(list(mishaps), len(mishaps)):
                pause(self._chance, 0.1, 0.6)
                mishaps[name](self._chance)
                done[name] += 1
        return done

    def _create(self, number: int) -> Watched:
        period = self._chance.choice((1.0, 1.5, 2.0))
        receivers = [f"c{number}@example.test", EVERYBODY, *([GONE] if number % 5 == 0 else [])]
        answer = self._call("create", name=f"Canary {number} {self._chance.random()}", periodicity=period, email=receivers)
        return Watched(answer["canary"]["id"], timedelta(seconds=period), receivers)

    def _call(self, command: str, **parameters: Any) -> Any:
        return self._servers[0].call(command, **parameters)

    def _wait_for_more(self, traffic: Traffic) -> None:
        seen = traffic.answered
        until("answered triggers", lambda: traffic.answered > seen + 100)

    def _wait_until_whole(self) -> None:
        for server in self._servers:
            server.wait_until_whole()

    def _wait_until_all_are_late(self, canaries: Sequence[Watched]) -> None:
        ids = {canary.id for canary in canaries}
        until("all canaries to be late", lambda: ids <= {each["id"] for each in self._call("list", late="true")["canaries"]})

    def _judge(self, canaries: Sequence[Watched], sent: Sequence[Sent]) -> Verdict:
        for canary in canaries:
            watched_from(canary, self._call("get", id=canary.id)["canary"])
        self._wait_for_mails(Case(canaries, sent, self._read_mails(), frozenset({GONE})))
        self._wait_for_a_last_mail(canaries)
        verdict = judge(Case(canaries, sent, self._read_mails(), frozenset({GONE})))
        for canary in canaries:
            self._call("delete", id=canary.id)
        return verdict

    def _wait_for_mails(self, case: Case) -> None:
        """Until all have come or nobody can hope for them any more; the verdict tells which have not."""
        end = monotonic() + SETTLE_SECONDS
        while untold(case) and monotonic() < end:
            threading.Event().wait(0.1)
            self._read_mails()

    def _wait_for_a_last_mail(self, canaries: Sequence[Watched]) -> None:
        """A receiver gets mails in their order, so when the last one is there no needless one is under way any more."""
        receivers = {receiver for canary in canaries for receiver in canary.receivers} - {GONE}
        answer = self._call("create", name=f"Last {self._chance.random()}", periodicity=0.5, email=sorted(receivers))
        last = answer["canary"]["id"]
        until("a last mail", lambda: receivers <= {told.receiver for told in self._read_mails() if told.canary == last})
        self._call("delete", id=last)

    def _read_mails(self) -> list[Told]:
        mails = list(self._mail.messages)
        self._told += told_by(mails[self._parsed :])
        self._parsed = len(mails)
        return self._told
