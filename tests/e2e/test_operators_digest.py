"""A background that dies again and again: many alerts wait for an operator when a mail server is there at last."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from coal_mine.domain.alert import OPERATORS, Kind
from coal_mine.stores.sqlite.store import open_store
from tests.domain.samples import NOW, SECOND, alert
from tests.support.mail import MailServer, body
from tests.support.server import CoalMine


def owe_stops(path: Path, count: int) -> None:
    """Told by nobody yet."""
    stops = [
        alert(
            kind=Kind.STOPPED, about=f"alpha|{pid}|n", name=f"background process {pid} on alpha", at=NOW + pid * SECOND,
            deadline=None, emails=("ops@example.test",), channel=OPERATORS,
        )
        for pid in range(count)
    ]  # fmt: skip
    with closing(open_store(path)) as store:
        store.outbox.add(stops)


def test_many_stops_that_wait_for_an_operator_leave_as_a_digest_of_their_own(mail: MailServer, tmp_path: Path) -> None:
    path = tmp_path / "cm.sqlite3"
    owe_stops(path, 25)
    email = f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n"
    with CoalMine(tmp_path / "server", ini=f"{email}[sqlite]\npath = {path}\n[wsgi]\nhost = 127.0.0.1\n"):
        digest = mail.wait_for("[25 STOPPED] Coal Mine digest")

    assert mail.subjects() == ["[25 STOPPED] Coal Mine digest"]
    assert body(digest).startswith(
        "25 changes of backgrounds and nodes, oldest first:\n\n[STOPPED] The background process 0 on alpha was last seen"
    )
