"""Jobs, runs and nodes as people read them on a terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from .terminal import Look, Terminal, counted, list_table, pairs, plain_table, text, time_of
from .wording import distance, duration, minute

Item = Mapping[str, Any]

_GOOD, _BAD = Look("✓", "+", "green"), Look("✗", "!", "bold red")
_OFF, _UNSURE = Look("=", "=", "yellow"), Look("?", "?", "bold red")
_WAITING, _MOVING = Look("…", ".", "cyan"), Look("▶", ">", "cyan")
_RUN_LOOKS = {
    "queued": _WAITING,
    "retrying": _WAITING,
    "claimed": _MOVING,
    "running": _MOVING,
    "unreachable": _UNSURE,
    "done": _GOOD,
    "failed": _BAD,
    "missed": _BAD,
    "lost": _UNSURE,
    "killed": _OFF,
    "skipped": _OFF,
}
_MEGABYTE = 1_000_000
# What people copy from a table into the next command.
_COPIED = frozenset({"Run", "Id", "Node", "Pool"})


class Tables(Terminal):
    def jobs(self, jobs: Sequence[Item], *, total: int) -> None:
        if not jobs:
            self.console.print("No jobs found.")
            return
        table = self._list("Name", "Id", "State", "Next (UTC)", "Last run")
        for job in jobs:
            last = job["last_run"]
            table.add_row(
                text(job["name"]), text(job["id"]), self._job_state(job), self.moment(job["next_at"], minute),
                self._last_run(last) if last else Text("none"),
            )  # fmt: skip
        more = f"; --all shows all {total}" if total > len(jobs) else ""
        self.table(table, f"{counted(len(jobs), 'job', 'jobs')}{more}")

    def job(self, job: Item) -> None:
        self.sheet(self._facts_of_job(job))
        self._warn(job)

    def preview(self, preview: Item) -> None:
        self.sheet(self._facts_of_definition(preview["definition"]))
        self.heading("Next ticks")
        self.ticks(preview["next_ticks"])
        self._warn(preview)

    def ticks(self, ticks: Sequence[str]) -> None:
        if not ticks:
            self.console.print("None: the schedules have no more ticks.")
            return
        table = plain_table()
        for tick in ticks:
            table.add_row(text(tick.replace("T", " ")), Text(distance(time_of(tick), self.now)))
        self.console.print(table)

    def runs(self, runs: Sequence[Item], *, more: bool) -> None:
        if not runs:
            self.console.print("No runs found.")
            return
        table = self._list("Run", "Job", "State", "Scheduled (UTC)", "Node", "Took")
        for run in runs:
            table.add_row(
                text(run["id"]), text(run["job_name"]), self._run_state(run), self.moment(run["scheduled_at"], minute),
                text(run["node"]), _took(run),
            )  # fmt: skip
        self.table(table, counted(len(runs), "run", "runs") + (", and older ones; --limit shows more" if more else ""))

    def run(self, run: Item) -> None:
        self.sheet(self._facts_of_run(run))
        if run["attempts"]:
            self.heading("Earlier attempts")
            table = plain_table()
            for attempt in run["attempts"]:
                table.add_row(self.moment(attempt["ended_at"]), text(f"{attempt['node']}: {attempt['reason']}"))
            self.console.print(table)

    def nodes(self, nodes: Sequence[Item]) -> None:
        if not nodes:
            self.console.print("No nodes found.")
            return
        table = self._list("Node", "State", "Pools", "Users", "Running", "Seen (UTC)")
        for node in nodes:
            table.add_row(
                text(node["name"]), self._node_state(node), _words(node["pools"]), _words(node["users"]), _load(node),
                self.moment(node["seen_at"], minute),
            )  # fmt: skip
        alive = sum(bool(node["alive"]) for node in nodes)
        self.table(table, f"{counted(len(nodes), 'node', 'nodes')}: {alive} alive")

    def node(self, node: Item) -> None:
        self.sheet(
            [
                ("Name", text(node["name"])),
                ("State", self._node_state(node)),
                ("Pools", _words(node["pools"])),
                ("Users", _words(node["users"])),
                *([("Runners", _words(node["runners"]))] if node.get("runners") else []),
                ("Running", _load(node)),
                ("Timezone", text(node["timezone"])),
                ("Host", text(f"{node['host']}, process {node['pid']}, version {node['version']}")),
                ("Started (UTC)", self.moment(node["started_at"])),
                ("Seen (UTC)", self.moment(node["seen_at"])),
            ]
        )

    def pools(self, pools: Sequence[Item]) -> None:
        if not pools:
            self.console.print("No pools found.")
            return
        table = self._list("Pool", "State", "Nodes")
        for pool in pools:
            state = self.state(_OFF, "paused") if pool["paused"] else self.state(_GOOD, "open")
            table.add_row(text(pool["name"]), state, _words(pool["nodes"]) if pool["nodes"] else Text("none"))
        self.table(table, counted(len(pools), "pool", "pools"))

    def _list(self, *headings: str) -> Table:
        table = list_table()
        for heading in headings:
            keep_whole = self.is_roomy and heading in _COPIED
            table.add_column(heading, overflow="fold", no_wrap=keep_whole, min_width=min(len(heading), 8))
        return table

    def _job_state(self, job: Item) -> Text:
        return self.state(_GOOD, "enabled") if job["enabled"] else self.state(_OFF, "disabled")

    def _run_state(self, run: Item) -> Text:
        reason = f": {run['reason']}" if run["reason"] else ""
        return self.state(_RUN_LOOKS.get(run["state"], _UNSURE), f"{run['state']}{reason}")

    def _last_run(self, run: Item) -> Text:
        at = run["ended_at"] or run["started_at"] or run["scheduled_at"]
        return self.state(_RUN_LOOKS.get(run["state"], _UNSURE), f"{run['state']}, {distance(time_of(at), self.now)}")

    def _node_state(self, node: Item) -> Text:
        if not node["alive"]:
            return self.state(_BAD, "gone")
        return self.state(_OFF, "draining") if node["draining"] else self.state(_GOOD, "alive")

    def _warn(self, item: Item) -> None:
        for warning in item["warnings"]:
            self.console.print(Text("\nWarning: ", style="yellow").append_text(text(warning)))

    def _facts_of_job(self, job: Item) -> Iterable[tuple[str, Text]]:
        yield "Id", text(job["id"])
        yield "State", self._job_state(job)
        yield "Next (UTC)", self.moment(job["next_at"]) if job["next_at"] else Text("none")
        yield from self._facts_of_definition(job)
        yield "Canary", text(job["canary"])
        yield "Version", text(job["version"])
        yield "Changed (UTC)", self.moment(job["changed_at"])

    def _facts_of_definition(self, job: Item) -> Iterable[tuple[str, Text]]:
        """What every job has, and whatever else is not as in a job about which nothing is said."""
        yield "Name", text(job["name"])
        yield "Schedules", text("\n".join(map(_schedule, job["schedules"])) or "none: it runs by hand only")
        yield "Command", text(_command(job))
        yield "Pools", text(f"{', '.join(job['pools'])}{'; every node' if job['mode'] == 'all' else ''}")
        yield "Emails", text("\n".join(job["emails"]) or "none: nobody is alerted")
        for label, name, shown in _MORE:
            if job[name] not in (None, "", [], {}):
                yield label, shown(job[name])
        yield "Policies", text(_policies(job))
        if job["parameters"]:
            yield "Parameters", text("\n".join(map(_parameter, job["parameters"])))
        if job["mail_to"]:
            yield "Reports", text(f"{job['mail_report']}, to {', '.join(job['mail_to'])}")

    def _facts_of_run(self, run: Item) -> Iterable[tuple[str, Text]]:
        yield "Id", text(run["id"])
        yield "Job", text(f"{run['job_name']} ({run['job']})")
        yield "State", self._run_state(run)
        yield "Scheduled (UTC)", self.moment(run["scheduled_at"])
        if run["state"] in ("queued", "retrying"):
            yield "Start by (UTC)", self.moment(run["start_by"])
        if run["node"]:
            yield "Node", text(run["node"])
        for label, name in (("Started (UTC)", "started_at"), ("Ended (UTC)", "ended_at")):
            if run[name]:
                yield label, self.moment(run[name])
        if run["duration"] is not None:
            yield "Took", _took(run)
        yield "Attempt", text(run["attempt"])
        yield from _result(run)
        if run["parameters"]:
            yield "Parameters", pairs(run["parameters"])
        yield "Command", text(_command(run))


def _lines(values: Sequence[object]) -> Text:
    return text("\n".join(map(str, values)))


def _seconds(value: float) -> Text:
    return text(duration(value))


# What a definition may have besides: label, name and how it is shown.
_MORE: tuple[tuple[str, str, Callable[[Any], Text]], ...] = (
    ("Description", "description", text),
    ("User", "user", text),
    ("Group", "group", text),
    ("Directory", "workdir", text),
    ("Script", "script", text),
    ("Timeout", "timeout", _seconds),
    ("Start deadline", "start_deadline", _seconds),
    ("Grace", "grace", _seconds),
    ("Tags", "tags", _lines),
    ("Labels", "labels", pairs),
    ("Environment", "env", pairs),
    ("Secrets", "secrets", pairs),
)


def _schedule(schedule: Item) -> str:
    kind = next((kind for kind in ("cron", "every", "at", "rrule", "fields") if kind in schedule), "")
    value = schedule.get(kind)
    words = {"every": lambda: f"every {duration(schedule['every'])}", "at": lambda: f"at {value}", "fields": lambda: json.dumps(value)}
    return f"{words.get(kind, lambda: str(value))()}, {schedule.get('timezone', 'UTC')}"


def _command(item: Item) -> str:
    """A list as a shell would have to be given it."""
    command = item["command"]
    return command if isinstance(command, str) else shlex.join(command)


def _policies(job: Item) -> str:
    retries = counted(job["retries"]["max"], "retry", "retries")
    return f"overlap {job['overlap']['policy']}, catch-up {job['catch_up']['policy']}, {retries}"


def _parameter(parameter: Item) -> str:
    if parameter["default"] is not None:
        return f"{parameter['name']}={parameter['default']}"
    return f"{parameter['name']}{' (required)' if parameter['required'] else ''}"


def _result(run: Item) -> Iterable[tuple[str, Text]]:
    if run["exit_code"] is not None:
        yield "Exit status", text(run["exit_code"])
    if run["signal"] is not None:
        yield "Signal", text(run["signal"])
    if run["cpu_user"] is not None and run["cpu_system"] is not None:
        yield "CPU", text(f"{duration(round(run['cpu_user'], 3))} user, {duration(round(run['cpu_system'], 3))} system")
    if run["max_memory"] is not None:
        yield "Memory", text(f"{run['max_memory'] / _MEGABYTE:.1f} MB at most")
    if run["end"]:
        yield "Output", text(f"{run['stdout_bytes']} bytes to stdout, {run['stderr_bytes']} to stderr")
    if run["left_behind"]:
        yield "Left behind", text(counted(run["left_behind"], "process lives on", "processes live on"))


def _took(run: Item) -> Text:
    return text("" if run["duration"] is None else duration(run["duration"]))


def _words(values: Sequence[str]) -> Text:
    return text(", ".join(values))


def _load(node: Item) -> Text:
    return text(f"{node['running']} of {node['slots']}")
