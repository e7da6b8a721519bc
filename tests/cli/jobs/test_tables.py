"""Jobs, runs and nodes as people see them on a terminal."""

from __future__ import annotations

import json
import re
from datetime import datetime

from tests.cli.command import Cmcli
from tests.cli.jobs.conftest import Call
from tests.cli.stranger import Answer, Stranger
from tests.support.waiting import until


def _cells(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def test_jobs_are_a_table_with_state_next_tick_and_last_run(cmcli: Cmcli, call: Call, job: Call) -> None:
    job_id = job("exit 1", name="Broken", schedules=[{"cron": "0 6 1 1 *"}])
    job("true", name="Sleeper", enabled=False)
    run_id = call("POST", f"jobs/{job_id}/run", {})["id"]
    until("the end of the run", lambda: call("GET", f"runs/{run_id}")["ended_at"])

    lines = cmcli.on_terminal("job", "list", columns=140).out.splitlines()

    next_at = datetime.fromisoformat(call("GET", f"jobs/{job_id}")["next_at"])
    assert _cells(lines[0]) == ["Name", "Id", "State", "Next (UTC)", "Last run"]
    name, identifier, state, tick, last = _cells(lines[2])
    assert (name, identifier, state) == ("Broken", job_id, "✓ enabled")
    assert re.fullmatch(f"{next_at:%Y-%m-%d %H:%M}, in \\d+ (s|min|h|days?)", tick)
    assert re.fullmatch(r"✗ failed, \d+ s ago", last)
    assert _cells(lines[3])[2:] == ["= disabled", "none"]
    assert lines[-1] == "2 jobs"


def test_a_job_is_a_sheet_with_its_warnings(cmcli: Cmcli, job: Call) -> None:
    job_id = job(["echo", "a b"], name="Lonely", pools=["nowhere"], schedules=[{"every": 90}], timeout=60, env={"A": "b"})

    out = cmcli.on_terminal("job", "get", job_id).out

    facts = dict(_cells(line) for line in out.splitlines() if len(_cells(line)) == 2)
    assert facts["Command"] == "echo 'a b'"
    assert facts["Schedules"] == "every 1 min 30 s, UTC"
    assert (facts["Timeout"], facts["Environment"], facts["Pools"]) == ("1 min", "A=b", "nowhere")
    assert "Warning: no node serves the pool nowhere" in out


def test_runs_are_a_table_with_state_and_reason(cmcli: Cmcli, call: Call, job: Call) -> None:
    job_id = job("exit 3", name="Broken")
    run_id = call("POST", f"jobs/{job_id}/run", {})["id"]
    until("the end of the run", lambda: call("GET", f"runs/{run_id}")["ended_at"])

    lines = cmcli.on_terminal("run", "list", "--job", job_id, columns=160).out.splitlines()

    assert _cells(lines[0]) == ["Run", "Job", "State", "Scheduled (UTC)", "Node", "Took"]
    assert _cells(lines[2])[:3] == [run_id, "Broken", "✗ failed: exit status 3"]
    assert lines[-1] == "1 run"


def test_a_run_is_a_sheet_with_its_result(cmcli: Cmcli, call: Call, job: Call) -> None:
    run_id = call("POST", f"jobs/{job('echo abc; exit 3')}/run", {})["id"]
    until("the end of the run", lambda: call("GET", f"runs/{run_id}")["ended_at"])

    facts = dict(_cells(line) for line in cmcli.on_terminal("run", "get", run_id).out.splitlines())

    assert facts["Id"] == run_id
    assert facts["State"] == "✗ failed: exit status 3"
    assert facts["Exit status"] == "3"
    assert facts["Output"] == "4 bytes to stdout, 0 to stderr"


def test_a_preview_shows_ticks_with_their_distance(cmcli: Cmcli) -> None:
    out = cmcli.on_terminal("job", "create", "--dry-run", "--name", "x", "--cron", "0 6 * * *", "date").out

    assert len(re.findall(r"^\d{4}-\d\d-\d\d 06:00:00.000\+00:00  in \d+ (?:s|min|h|days?)\s*$", out, re.MULTILINE)) == 10


def test_nodes_are_a_table(cmcli: Cmcli, call: Call) -> None:
    (node,) = call("GET", "nodes")["nodes"]

    lines = cmcli.on_terminal("node", "list", columns=120).out.splitlines()

    assert _cells(lines[0]) == ["Node", "State", "Pools", "Users", "Running", "Seen (UTC)"]
    assert _cells(lines[2])[:3] == [node["name"], "✓ alive", "default"]
    assert lines[-1] == "1 node: 1 alive"


def test_a_node_is_a_sheet(cmcli: Cmcli, call: Call) -> None:
    (node,) = call("GET", "nodes")["nodes"]

    facts = dict(_cells(line) for line in cmcli.on_terminal("node", "get", node["name"]).out.splitlines())

    assert (facts["Name"], facts["State"], facts["Pools"]) == (node["name"], "✓ alive", "default")


def test_pools_are_a_table(cmcli: Cmcli, call: Call) -> None:
    (node,) = call("GET", "nodes")["nodes"]

    lines = cmcli.on_terminal("pool", "list").out.splitlines()

    assert [_cells(lines[0]), _cells(lines[2])] == [["Pool", "State", "Nodes"], ["default", "✓ open", node["name"]]]


def test_texts_of_others_neither_are_markup_nor_reach_the_terminal_as_escapes(unconfigured: Cmcli, stranger: Stranger) -> None:
    run = {"id": "\x1b[2Jx", "job_name": "[red]y[/red]", "state": "failed", "reason": "\x07", "node": "n", "duration": 1}
    run["scheduled_at"] = "2026-11-22T06:00:00Z"
    stranger.answer = lambda _: Answer(json.dumps({"runs": [run], "next": None}).encode())

    out = unconfigured.on_terminal("run", "list", "--host", stranger.url, columns=140, with_escapes=True).out

    assert "[red]y[/red]" in out
    assert "\x1b[2J" not in out
    assert "\x07" not in out


def test_an_answer_of_another_version_is_one_line(unconfigured: Cmcli, stranger: Stranger) -> None:
    stranger.answer = lambda _: Answer(b'{"nodes": [{"name": "n"}]}')

    outcome = unconfigured.on_terminal("node", "list", "--host", stranger.url)

    assert outcome.status == 1
    assert outcome.err.startswith("cmcli: the server's answer is not as expected (KeyError('alive'))")
    assert outcome.err.count("\n") == 1
