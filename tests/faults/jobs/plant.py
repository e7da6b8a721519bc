"""Everything that runs jobs, in processes of its own that share a replica set: one for HTTP, backgrounds, nodes, and a mail server."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from aiosmtpd.smtp import SMTP, Envelope, Session
from pymongo.database import Database

from coal_mine.clock import monotonic
from tests.faults.jobs.checker import Case, Verdict, judge, untold
from tests.faults.jobs.facts import ALIVE, END, START, Note, Record, Told, Watched, notes_in, record_of, told_by
from tests.support.background import Background
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.nodes import NodeProcess
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.waiting import PATIENCE, until

API = "/coal-mine/v1"
KEY = "k"
# How long a verdict is put off for mails that have not come.
SETTLE_SECONDS = 20.0
_PAGE = 1_000
_ENDED = frozenset({"done", "failed", "killed", "lost", "missed", "skipped"})


class StampingMailServer(MailServer):
    """Notes when each mail arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[datetime] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.arrivals.append(datetime.now(UTC))
        return await super().handle_DATA(server, session, envelope)


class Plant:
    def __init__(self, directory: Path, replica_set: Mongod, database: Database[dict[str, Any]], mail: StampingMailServer) -> None:
        self.database = database
        self.mail = mail
        self.jobs: list[Watched] = []
        self.unreachable: set[str] = set()
        self._directory = directory
        self._ini = shared_settings(replica_set, database, mail) + f"auth_key = {KEY}\n"
        self._notes = directory / "notes"
        self._notes.touch()
        self._stack = ExitStack()
        self._session = requests.Session()
        self.web = CoalMine(directory / "web", "--web", ini=self._ini)

    def __enter__(self) -> Plant:
        self._stack.enter_context(self.web)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
        self._session.close()

    def background(self, name: str = "background", environ: Mapping[str, str] | None = None) -> Background:
        return self._stack.enter_context(Background(self._directory / name, ini=self._ini, environ=dict(environ or {})))

    def node(self, name: str, *, place: str = "", environ: Mapping[str, str] | None = None) -> NodeProcess:
        """Returns when the store knows it. Two nodes of one name need different places."""
        made = NodeProcess(self._directory / (place or name), name, ini=self._ini, environ=dict(environ or {}))
        return self._stack.enter_context(made)

    def wait_for_node(self, name: str) -> None:
        until(f"node {name}", lambda: any(node["name"] == name and node["alive"] for node in self.ask("/nodes")["nodes"]))

    # What users do

    def ask(self, path: str, method: str = "GET", body: object = None, **query: Any) -> Any:
        headers = {"X-Auth-Token": KEY}
        answer = self._session.request(method, self.web.url + API + path, params=query, json=body, headers=headers, timeout=PATIENCE)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text[:1_000]}"
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.content

    def job(self, name: str, command: str, *, alone: bool = True, ticks: Sequence[datetime] = (), **fields: Any) -> Watched:
        """One that alerts every failure; those of `ticks` that come after its creation must leave records."""
        body = {"name": name, "id": name, "command": command, "env": {"NOTES": str(self._notes)}, "emails": [f"{name}@example.test"]}
        body |= {"failure_alerts": "every", **({} if alone else {"overlap": "allow"}), **fields}
        made = self.ask("/jobs", "POST", body)
        created_at = datetime.fromisoformat(made["created_at"])
        watched = Watched(
            id=made["id"], canary=made["canary"], ticks=[tick for tick in ticks if tick > created_at], alone=alone,
            tells_all=body["failure_alerts"] == "every",
        )  # fmt: skip
        self.jobs.append(watched)
        return watched

    @property
    def owed(self) -> int:
        """How many ticks of all jobs must leave records."""
        return sum(len(job.ticks) for job in self.jobs)

    def run(self, job: Watched, count: int = 1) -> list[str]:
        """Now; the runs."""
        return [self.ask(f"/jobs/{job.id}/run", "POST", {})["id"] for _ in range(count)]

    # What can be seen

    def record(self, run: str) -> Record:
        return record_of(self.ask(f"/runs/{run}"))

    def records(self, **query: Any) -> list[Record]:
        found: list[Record] = []
        before = ""
        while True:
            page = self.ask("/runs", limit=_PAGE, **query, **({"before": before} if before else {}))
            found += [record_of(shown) for shown in page["runs"]]
            before = page["next"]
            if not before:
                return found

    def states(self, runs: Iterable[str]) -> dict[str, str]:
        """Straight from the store, for those who must be quick."""
        found = self.database["runs"].find({"_id": {"$in": list(runs)}}, {"state": 1})
        return {each["_id"]: each["state"] for each in found}

    def notes(self) -> list[Note]:
        return notes_in(self._notes.read_text())

    def told(self) -> list[Told]:
        return list(told_by(zip(list(self.mail.messages), self.mail.arrivals, strict=False)))

    def wait_for_end(self, runs: Sequence[str], seconds: float = PATIENCE) -> None:
        def over() -> bool:
            return set(self.states(runs).values()) <= _ENDED

        try:
            until("the end of all runs", over, seconds=seconds)
        except AssertionError as error:
            left = {run: state for run, state in self.states(runs).items() if state not in _ENDED}
            raise AssertionError(f"{error}: {left}") from None

    def end_lease(self, node: str, runs: Sequence[str], *, by_hand: bool = True) -> None:
        """As if nothing had been heard of the node for longer than a lease; returns when its runs have been judged by that."""
        live = [run for run, state in self.states(runs).items() if state in ("claimed", "running")]
        if by_hand:
            long_ago = datetime.now(UTC) - timedelta(minutes=1)
            self.database["nodes"].update_one({"_id": node}, {"$set": {"seen_at": long_ago}})
        until("the node's lease to be over", lambda: not {"claimed", "running"} & set(self.states(live).values()))
        self.unreachable |= {run for run, state in self.states(live).items() if state == "unreachable"}

    def judge(self, *, live: Iterable[str] = (), silent: bool = False, before: datetime | None = None) -> Verdict:
        """Of all runs, or of those with earlier ticks. Waits for mails, but not for ever: the verdict tells which have not come."""
        notes = self.notes()  # first, so that each has a record
        shown = self.records()
        others = {record.id for record in shown if before and record.tick >= before}
        records = [record for record in shown if record.id not in others]
        notes = [note for note in notes if note.run not in others]

        def case() -> Case:
            return Case(
                jobs=self.jobs, records=records, notes=notes, told=self.told(), live=frozenset(live),
                unreachable=frozenset(self.unreachable), silent=silent,
            )  # fmt: skip

        end = monotonic() + SETTLE_SECONDS
        while untold(case()) and monotonic() < end:
            threading.Event().wait(0.1)
        return judge(case())


def working(seconds: float, step: float = 0.1) -> str:
    """A command that notes its start and its end, and now and then that it is alive."""
    return f"{START}; i=0; while [ $i -lt {round(seconds / step)} ]; do i=$((i+1)); echo line $i; sleep {step}; {ALIVE}; done; {END}"
