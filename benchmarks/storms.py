"""Many canaries that are due at one instant."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from email.message import EmailMessage

from benchmarks import servers
from benchmarks.fill import canary, now
from benchmarks.report import Report
from benchmarks.servers import Place
from benchmarks.sink import Sink, sink

RECEIVERS = 10
_NEVER = 1_000_000
_BARE_MAILS = 3_000


def measure(report: Report, store: str, *, count: int, digest: bool) -> None:
    with ExitStack() as stack:
        home, mail = stack.enter_context(servers.directory()), stack.enter_context(sink())
        place = stack.enter_context(servers.place(store, home))
        ready, building = bare_loop(mail)
        due = _filled(place, count)
        stack.enter_context(servers.coal_mine(place, mail_port=mail.port, digest_above=20 if digest else _NEVER))
        late = _seconds_until_all_late(place, due)
        mails, delivered = _delivered(mail, count, due)
        again, building_again = bare_loop(mail)
    rate = count / delivered
    report.add(
        "Storms", store=store, due=count, digest="on" if digest else "off", **{
            "all late s": late, "all delivered s": delivered, "mails": mails, "alerts/s": rate,
            "bare loop mails/s": (ready + again) / 2, "building mails/s": (building + building_again) / 2,
            "of bare loop": rate / ((ready + again) / 2), "of building": rate / ((building + building_again) / 2),
        },
    )  # fmt: skip


def _filled(place: Place, count: int) -> datetime:
    """When all of them are due: soon after the server is up. Filling takes its time too."""
    due = now() + timedelta(seconds=6 + count / 4_000)
    place.filler.add(canary(number, deadline=due, email=f"to{number % RECEIVERS}@example.test") for number in range(count))
    if due < now() + timedelta(seconds=3):
        raise RuntimeError("this machine fills the store too slowly")
    return due


def _seconds_until_all_late(place: Place, due: datetime) -> float:
    time.sleep(max(due.timestamp() - time.time(), 0))
    servers.until("the mark of lateness", place.filler.all_late, seconds=300)
    return time.time() - due.timestamp()


def _delivered(mail: Sink, count: int, due: datetime) -> tuple[int, float]:
    """How many mails came, and the seconds to the last one."""
    mails = alerts = 0
    last = end = time.time()
    while alerts < count:
        found = mail.mails()
        mails, alerts = mails + len(found), alerts + sum(each.alerts for each in found)
        last = max([last, *(each.at for each in found)]) if found else last
        if found:
            end = time.time() + 120
        if time.time() > end + 120:
            raise RuntimeError(f"only {alerts} of {count} alerts came")
        time.sleep(0.05)
    return mails, last - due.timestamp()


def bare_loop(mail: Sink) -> tuple[float, float]:
    """Mails a second over one kept connection to the same sink: ready bytes, and mails that are built first."""
    with smtplib.SMTP("127.0.0.1", mail.port) as connection:
        content = _mail(0).as_bytes()
        ready = _rate(lambda _: connection.sendmail("coal-mine@example.test", ["to@example.test"], content))
        building = _rate(lambda number: connection.send_message(_mail(number)))
    mail.mails()
    return ready, building


def _rate(send: Callable[[int], object]) -> float:
    begin = time.monotonic()
    for number in range(_BARE_MAILS):
        send(number)
    return _BARE_MAILS / (time.monotonic() - begin)


def _mail(number: int) -> EmailMessage:
    """The size of ours."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "coal-mine@example.test", "to@example.test", f"canary {number} has not reported"
    mail["Date"], mail["Message-ID"] = "Sun, 22 Nov 2026 12:00:00 +0000", f"<{number}@example.test>"
    mail.set_content("The canary was expected to report.\n\nRecent events for this canary:\n\n2026-11-22T12:00:00.000Z Triggered\n")
    return mail
