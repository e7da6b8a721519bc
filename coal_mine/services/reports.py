"""The mail about one run, for those who want to read about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from coal_mine.domain.alert import Alert
from coal_mine.domain.errors import Invalid, NotFound
from coal_mine.domain.localtime import zone_named
from coal_mine.domain.message import Message
from coal_mine.domain.output import Line
from coal_mine.domain.ports import Store
from coal_mine.domain.run import End, Result, Run, RunState
from coal_mine.domain.text import printable
from coal_mine.domain.times import isoformat

from .run_output import END_BYTES, end_of_output

_LINES = 1_000
_LINE = 10_000
OK, ERROR, FAIL, RUNNING = "ok", "error", "fail", "running"
_FORGOTTEN = "The record of the run has been deleted since."


def status_of(run: Run) -> str:
    """One word for how it went: `error` if the command ended by itself, and not well: also by a signal that nobody of us has sent."""
    if not run.has_ended:
        return RUNNING
    if run.state is RunState.DONE:
        return OK
    return ERROR if run.state is RunState.FAILED and run.result and return_code(run.result) is not None else FAIL


def return_code(result: Result) -> int | None:
    """A signal's number below zero; None unless the command ended by itself."""
    if result.end is End.SIGNALLED and result.signal:
        return -result.signal
    return result.exit_code if result.end is End.EXITED else None


def report_message(delivery_id: str, alert: Alert, store: Store) -> Message:
    """The same for every repetition, as long as the run is remembered and nobody wants its times in another zone."""
    try:
        run = store.runs.get(alert.about)
    except NotFound:
        return _message(delivery_id, alert, "over", (_FORGOTTEN,), ())
    headers = [("X-Moneta-Status", status_of(run))]  # what mail filters look for
    if run.result and (code := return_code(run.result)) is not None:
        headers.append(("X-Moneta-Return-Code", str(code)))
    return _message(delivery_id, alert, run.state, tuple(_lines(run, store)), tuple(headers))


def _message(delivery_id: str, alert: Alert, state: str, lines: tuple[str, ...], headers: tuple[tuple[str, str], ...]) -> Message:
    subject = f"Execution Report - Job {printable(alert.name)} (status: {state})"
    told = f"[REPORT] {subject}"
    return Message(id=delivery_id, at=alert.at, subject=subject, body="\n".join(lines) + "\n", told=(told,), headers=headers)


def _lines(run: Run, store: Store) -> Iterator[str]:
    yield from (f"{label + ':':<13}{printable(value)}" for label, value in _facts(run, _zone(store)))
    lines = [_line(line) for line in end_of_output(store.output, run, END_BYTES)[-_LINES:]]
    if lines:
        yield ""
        yield f"Output: {_amount(run.result)}; the last {len(lines)} lines:"
        yield ""
        yield from lines


def _zone(store: Store) -> ZoneInfo | None:
    """As the option `mailer` says; None: nobody has set it."""
    text = store.options.all().get("mailer")
    name = json.loads(text).get("timezone") if text else None
    try:
        return zone_named(name) if name else None
    except Invalid:  # the system knows it no longer
        return None


def _time(moment: datetime, zone: ZoneInfo | None) -> str:
    return f"{moment.astimezone(zone).isoformat(timespec='milliseconds')} {zone}" if zone else isoformat(moment)


def _amount(result: Result | None) -> str:
    return f"{result.stdout_bytes} bytes on stdout, {result.stderr_bytes} bytes on stderr" if result else "what was stored of it"


def _facts(run: Run, zone: ZoneInfo | None) -> Iterator[tuple[str, str]]:
    command = run.definition.command if run.command is None else run.command
    yield "Job", run.definition.name
    yield "Run", run.id
    yield "Command", command if isinstance(command, str) else " ".join(command)
    yield "Status", f"{run.state}, {run.reason}" if run.reason else run.state
    if run.node:
        yield "Node", run.node
    if run.started_at:
        yield "Start", _time(run.started_at, zone)
    if run.ended_at:
        yield "End", _time(run.ended_at, zone)
    if run.started_at and run.ended_at:
        yield "Duration", f"{(run.ended_at - run.started_at).total_seconds():.3f} s"
    if run.result:
        yield from _usage(run.result)


def _usage(result: Result) -> Iterator[tuple[str, str]]:
    if result.exit_code is not None:
        yield "Exit code", str(result.exit_code)
    if result.signal is not None:
        yield "Signal", str(result.signal)
    if result.max_memory:
        yield "Max memory", f"{result.max_memory / 1_048_576:.1f} MB"
    if result.cpu_user is not None and result.cpu_system is not None:
        yield "CPU", f"{result.cpu_user:.3f} s user, {result.cpu_system:.3f} s system"


def _line(line: Line) -> str:
    text = printable(line.data[:_LINE].decode(errors="replace").rstrip())
    return f"{line.millis / 1_000:9.3f} {line.stream.name.lower()} {text}"
