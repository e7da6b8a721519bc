"""What servers that share a store are told: where it is, and where mails go."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from tests.support.mail import MailServer
from tests.support.mongod import Mongod


def shared_settings(server: Mongod, database: Database[dict[str, Any]], mail: MailServer) -> str:
    """A coal-mine.ini."""
    lines = ["[mongodb]", f"hosts = {server.uri}", f"database = {database.name}"]
    lines += ["[email]", "sender = cm@example.test", "host = 127.0.0.1", f"port = {mail.port}", "[wsgi]", "host = 127.0.0.1", ""]
    return "\n".join(lines)
