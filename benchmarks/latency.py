"""How long after a deadline the mail arrives, idle and beside 1,000 triggers a second."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import timedelta
from statistics import quantiles

from benchmarks import servers, wrk
from benchmarks.fill import canary, now
from benchmarks.report import Report
from benchmarks.sink import Mail, Sink, sink

_TRIGGERED = 1_000
_FIRST_DUE = 1_000_000  # the number of the first canary that nobody triggers
_START_SECONDS = 6.0
_APART_SECONDS = 0.05
# 55 connections that each wait 50 ms between two triggers, and a few milliseconds for each answer.
_CONNECTIONS, _PAUSE = 55, 50


def measure(report: Report, store: str, *, alerts: int, loaded: bool) -> None:
    with ExitStack() as stack:
        home, mail = stack.enter_context(servers.directory()), stack.enter_context(sink())
        place = stack.enter_context(servers.place(store, home))
        place.filler.add(canary(number) for number in range(_TRIGGERED))
        first = now() + timedelta(seconds=_START_SECONDS)
        deadlines = {_FIRST_DUE + place: first + timedelta(seconds=place * _APART_SECONDS) for place in range(alerts)}
        place.filler.add(canary(number, deadline=at, email=f"to{number}@example.test") for number, at in deadlines.items())
        server = stack.enter_context(servers.coal_mine(place, mail_port=mail.port))
        seconds = first.timestamp() + alerts * _APART_SECONDS - time.time() + 1
        load = wrk.start(server.url, connections=_CONNECTIONS, seconds=seconds, canaries=_TRIGGERED, pause=_PAUSE) if loaded else None
        mails = _collected(mail, alerts, seconds + 30)
        rate = wrk.ended(load) if load else None
    late = sorted((each.at - deadlines[int(each.subject.split()[2])].timestamp()) * 1_000 for each in mails)
    cuts = quantiles(late, n=100)
    report.add(
        "Alert latency", store=store, alerts=len(late), **{
            "triggers/s": rate.rate if rate else 0.0, "trigger p99 ms": rate.p99 if rate else None,
            "alert p50 ms": cuts[49], "alert p99 ms": cuts[98], "alert max ms": late[-1],
        },
    )  # fmt: skip


def _collected(mail: Sink, count: int, seconds: float) -> list[Mail]:
    found: list[Mail] = []
    end = time.monotonic() + seconds
    while len(found) < count:
        found += mail.mails()
        if time.monotonic() > end:
            raise RuntimeError(f"only {len(found)} of {count} mails came")
        time.sleep(0.1)
    return found
