"""The words in which an alert is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .alert import OPERATORS, Alert, Kind
from .canary import Entry
from .text import printable
from .times import isoformat

EVENTS_SHOWN = 15
# By whether it concerns a server.
_TOLD = {
    (False, Kind.LATE): "has not reported",
    (False, Kind.RESUMED): "is reporting again",
    (False, Kind.FAILED): "has failed",
    (False, Kind.MISSED): "was not started in time",
    (False, Kind.LOST): "is out of reach",
    (True, Kind.STOPPED): "has stopped",
    (True, Kind.RESUMED): "is back",
}
_WRONG = {
    Kind.FAILED: "failed",
    Kind.MISSED: "had not been started in time: this was found",
    Kind.LOST: "was lost sight of",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Ready for a channel. Repeating a delivery gives an equal message."""

    id: str  # equal for every repetition, so that the other side can fold them
    at: datetime  # of the newest change that it tells
    subject: str  # one line
    body: str
    told: tuple[str, ...]  # a line for each change, for channels that want no more
    headers: tuple[tuple[str, str], ...] = ()  # further ones, for programs that sort mail


def alert_message(delivery_id: str, alert: Alert, events: Sequence[Entry]) -> Message:
    """The message for one alert; `events` are the canary's newest entries up to the alert, newest first."""
    lines = [_sentence(alert), ""]
    if alert.detail:
        lines += _detail(alert)
    elif alert.kind is Kind.RESUMED and alert.deadline:
        lines += [f"The next trigger for this canary is due before {isoformat(alert.deadline)}.", ""]
    if events:
        lines += ["Recent events for this canary:", ""]
        lines += [f"{isoformat(event.at)} {printable(event.text)}" for event in events[:EVENTS_SHOWN]]
    told = (f"[{alert.kind}] {_sentence(alert)}",)
    return Message(id=delivery_id, at=alert.at, subject=_headline(alert), body="\n".join(lines).rstrip() + "\n", told=told)


def digest_message(batch: str, alerts: Sequence[Alert]) -> Message:
    """One message for many alerts, oldest first."""
    counts = {kind: sum(alert.kind is kind for alert in alerts) for kind in Kind}
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    told = tuple(f"[{alert.kind}] {_sentence(alert)}" for alert in alerts)
    whose, advice = "canaries", []
    if alerts[-1].channel == OPERATORS:
        whose, advice = "backgrounds and nodes", ["", "About the last of them:", "", *_detail(alerts[-1])]
    body = "\n".join([f"{len(alerts)} changes of {whose}, oldest first:", "", *told, *advice]).rstrip() + "\n"
    return Message(id=batch, at=max(alert.at for alert in alerts), subject=f"[{summary}] Coal Mine digest", body=body, told=told)


def _headline(alert: Alert) -> str:
    told = _TOLD[alert.channel == OPERATORS, alert.kind]
    return f"[{alert.kind}] {printable(alert.name)} {told}"


def _sentence(alert: Alert) -> str:
    if alert.channel == OPERATORS:
        return _sentence_of_server(alert)
    if alert.kind is Kind.REPORT:
        return f"The run {printable(alert.about)} of the job {printable(alert.name)} ended at {isoformat(alert.at)}."
    who = f"The canary {printable(alert.name)} ({alert.about})"
    if alert.kind in _WRONG:
        return f"The job {printable(alert.name)} (canary {alert.about}) {_WRONG[alert.kind]} at {isoformat(alert.at)}."
    if alert.kind is Kind.LATE:  # a predecessor's canary may have lost its deadline, being paused; one of a job may be late before it
        return f"{who} was expected to report before {isoformat(min(alert.deadline or alert.at, alert.at))}."
    return f"{who} is reporting again as of {isoformat(alert.at)}."


def _sentence_of_server(alert: Alert) -> str:
    who = f"The {printable(alert.name)}"
    if alert.kind is Kind.STOPPED:
        return f"{who} was last seen at {isoformat(alert.at)} and has not ended cleanly."
    return f"{who}, which had stopped, is back as of {isoformat(alert.at)}."


def _detail(alert: Alert) -> list[str]:
    return [*map(printable, alert.detail.splitlines()), ""]
