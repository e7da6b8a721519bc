"""The product in one file: a canary goes late, mails; it resumes, mails."""

from __future__ import annotations

from pathlib import Path

from tests.support.mail import MailServer
from tests.support.server import CoalMine


def ini(mail: MailServer) -> str:
    return f"[email]\nsender = cm@example.test\nhost = 127.0.0.1\nport = {mail.port}\n[wsgi]\nhost = 127.0.0.1\n[sqlite]\npath = cm.sqlite3\n"


def test_a_canary_that_is_not_triggered_mails_late_and_then_resumed(tmp_path: Path, mail: MailServer) -> None:
    with CoalMine(tmp_path, ini=ini(mail)) as server:
        canary = server.call("create", name="Nightly Backup", periodicity="0.5", email=["a@example.test", "b@example.test"])["canary"]
        late = mail.wait_for("[LATE] Nightly Backup has not reported")
        server.call("update", id=canary["id"], periodicity="3600")
        server.stop()

    assert late["From"] == "Coal Mine <cm@example.test>"
    assert f"The canary Nightly Backup ({canary['id']}) was expected to report before {canary['deadline']}." in late.get_content()
