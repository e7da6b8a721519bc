"""One process of a server has a clock that is half a minute off; another one that shares its replica set has not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stores.conftest import database_of
from tests.support.background import Background
from tests.support.load import Load
from tests.support.mail import MailServer
from tests.support.mongod import Mongod
from tests.support.server import CoalMine
from tests.support.settings import shared_settings
from tests.support.shifted import shifted
from tests.support.waiting import until

OFF = 30
# Half of what a wrong clock would make of it, and more than a busy machine needs.
PUNCTUAL = timedelta(seconds=OFF / 2)

Start = Callable[[int, int], CoalMine]


@pytest.fixture
def start(replica_set: Mongod, mail: MailServer, tmp_path: Path) -> Iterator[Start]:
    """Starts a process for HTTP and one for the background, with clocks that are ahead by so many seconds."""
    with database_of(replica_set) as database, ExitStack() as stack:
        ini = shared_settings(replica_set, database, mail)

        def start(web: int, background: int) -> CoalMine:
            stack.enter_context(Background(tmp_path / "background", ini=ini, environ=shifted(background)))
            return stack.enter_context(CoalMine(tmp_path / "web", "--web", ini=ini, environ=shifted(web)))

        yield start


@pytest.mark.parametrize(("web", "background"), [(OFF, 0), (-OFF, 0), (0, OFF), (0, -OFF)])
def test_a_wrong_clock_makes_no_alert_needless_and_none_late(start: Start, mail: MailServer, web: int, background: int) -> None:
    server = start(web, background)
    busy = server.call("create", name="Busy", periodicity="20", email="a@example.test")["canary"]
    with Load(server.url, busy["id"], rate=20) as load:
        due_at = datetime.now(UTC) + timedelta(seconds=3)
        server.call("create", name="Silent", periodicity="3", email="a@example.test")
        mail.wait_for("[LATE] Silent has not reported")
        arrived_at = datetime.now(UTC)

    assert load.failed == []
    assert mail.subjects() == ["[LATE] Silent has not reported"]
    assert due_at <= arrived_at < due_at + PUNCTUAL


@pytest.mark.parametrize(("off", "word"), [(OFF, "ahead of"), (-OFF, "behind")])
def test_a_wrong_clock_is_shown_by_health_and_warned_of_in_the_log(start: Start, off: int, word: str) -> None:
    server = start(off, 0)
    warning = re.compile(rf"this machine's clock is (29\.9|30\.\d) s {word} the store's")
    until("a warning", lambda: warning.search(server.log))
    health = server.get("/health").json()

    assert abs(health["clock_skew_seconds"] - off) < 1
    assert server.log.count("set it right") == 1


def test_a_clock_that_is_right_is_not_warned_of(start: Start) -> None:
    server = start(0, OFF)
    health = until("the skew", lambda: "clock_skew_seconds" in (shown := server.get("/health").json()) and shown)

    assert abs(health["clock_skew_seconds"]) < 1
    assert "this machine's clock" not in server.log
