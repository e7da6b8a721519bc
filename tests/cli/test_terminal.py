"""What people see on a terminal."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.command import Cmcli
from tests.cli.stranger import Answer, Stranger
from tests.support.server import CoalMine


def test_the_list_is_a_table_with_state_and_deadline(server: CoalMine, cmcli: Cmcli) -> None:
    job = server.call("create", name="Job", periodicity="300")["canary"]
    paused = server.call("create", name="Sleeper", periodicity="90000", paused="true")["canary"]

    lines = cmcli.on_terminal("list").out.splitlines()

    assert lines[0].split() == ["Name", "Id", "State", "Deadline", "(UTC)", "Periodicity"]
    deadline = job["deadline"][:16].replace("T", " ")
    assert re.split(r"\s{2,}", lines[2].strip()) == ["Job", job["id"], "✓ on time", f"{deadline}, in 5 min", "5 min"]
    assert re.split(r"\s{2,}", lines[3].strip()) == ["Sleeper", paused["id"], "= paused", "none", "1 day 1 h"]
    assert lines[-1] == "2 canaries: 0 late, 1 paused"


def test_a_late_canary_says_so_in_word_and_symbol(server: CoalMine, cmcli: Cmcli) -> None:
    late = _make_late(server)

    line = next(line for line in cmcli.on_terminal("list", "--late").out.splitlines() if late in line)

    assert "✗ late" in line
    assert re.search(r", \d+ s ago", line)


def test_triggering_a_late_canary_says_that_it_was_late(server: CoalMine, cmcli: Cmcli) -> None:
    late = _make_late(server)

    assert cmcli.on_terminal("trigger", "--id", late).out == "Triggered. It was late.\n"


def _make_late(server: CoalMine) -> str:
    """A periodicity so short that the update itself finds the canary late: no need to wait for the deadline."""
    server.call("create", name="Slow", periodicity="600")
    canary = server.call("update", slug="slow", periodicity="0.001")["canary"]
    assert canary["late"]

    identifier: str = canary["id"]
    return identifier


def test_an_empty_list_says_so(cmcli: Cmcli) -> None:
    assert cmcli.on_terminal("list").out == "No canaries found.\n"


def test_a_canary_is_a_sheet_with_its_history_newest_first(cmcli: Cmcli) -> None:
    created = cmcli.canary(
        *("create", "--name", "Job", "--periodicity", "300", "--description", "One\nTwo"),
        *("--email", "a@example.com", "--email", "b@example.com"),
    )
    cmcli("trigger", "--slug", "job", "--comment", "fine")

    lines = [line.rstrip() for line in cmcli.on_terminal("get", "--slug", "job").out.splitlines()]

    assert [line for line in lines if not line.startswith("Deadline")] == [
        "Name            Job",
        f"Id              {created['id']}",
        "Slug            job",
        "State           ✓ on time",
        "Periodicity     5 min",
        "Emails          a@example.com",
        "                b@example.com",
        "Description     One",
        "                Two",
        "",
        "History (UTC), newest first",
        lines[-2],
        lines[-1],
    ]
    assert re.fullmatch(r"Deadline \(UTC\)  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, in 5 min", lines[4])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  Triggered \(fine\)", lines[-2])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  Canary created", lines[-1])


def test_a_schedule_is_shown_with_zone_and_grace(cmcli: Cmcli) -> None:
    schedule = ["--schedule", "0 6 * * *", "--grace", "1800", "--timezone", "Europe/Paris"]

    out = cmcli.on_terminal("create", "--name", "Cron", *schedule).out

    assert "Periodicity     0 6 * * *, Europe/Paris, grace 30 min" in out


def test_windows_are_shown_with_what_comes_next(cmcli: Cmcli) -> None:
    out = cmcli.on_terminal("create", "--name", "Windows", "--periodicity", "* 0-11 * * * 300").out

    assert re.search(r"\d\d 00:00 to \d{4}-\d\d-\d\d 11:59: 5 min", out)
    assert re.search(r"\d\d 12:00 to \d{4}-\d\d-\d\d 23:59: no deadline", out)
    assert "more, which --json shows" in out


@pytest.mark.parametrize("command", [["get", "--slug", "job"], ["list", "--verbose"]])
def test_history_can_be_left_out(server: CoalMine, cmcli: Cmcli, command: list[str]) -> None:
    server.call("create", name="Job", periodicity="300")

    assert "History" in cmcli.on_terminal(*command).out
    assert "History" not in cmcli.on_terminal(*command, "--no-history").out


def test_the_verbose_list_is_one_sheet_after_the_other(server: CoalMine, cmcli: Cmcli) -> None:
    for name in ("One", "Two"):
        server.call("create", name=name, periodicity="300")

    out = cmcli.on_terminal("list", "--verbose", "--terse").out

    assert re.findall(r"^Slug +(\w+)", out, re.MULTILINE) == ["one", "two"]


def test_delete_says_that_it_is_done(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="300")

    assert cmcli.on_terminal("delete", "--slug", "job").out == "Deleted.\n"


@pytest.mark.parametrize("arguments", [["--json", "list"], ["list", "--json"]])
def test_json_can_be_had_on_a_terminal(cmcli: Cmcli, arguments: list[str]) -> None:
    assert cmcli.on_terminal(*arguments).json == {"status": "ok", "canaries": []}


def test_texts_of_others_are_no_markup(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="[red]x[/red] :smile:", periodicity="300", description="[link=http://evil]y")

    out = cmcli.on_terminal("get", "--slug", "redxred-smile", with_escapes=True).out

    assert "[red]x[/red] :smile:" in out
    assert "[link=http://evil]y" in out


def test_escape_sequences_of_others_do_not_reach_the_terminal(unconfigured: Cmcli, stranger: Stranger) -> None:
    canary = {"id": "abcdefgh", "name": "\x1b[2Jx\x07\x9b", "late": False, "paused": True, "periodicity": 5}
    stranger.answer = lambda _: Answer(json.dumps({"status": "ok", "canaries": [canary]}).encode())

    out = unconfigured.on_terminal("list", "--host", stranger.url, with_escapes=True).out

    assert " [2Jx" in out
    assert not set(out) & {"\x07", "\x9b"}
    assert "\x1b[2J" not in out


def test_a_terminal_without_unicode_gets_plain_symbols(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Größe", periodicity="300")

    outcome = cmcli.on_terminal("list", environment={"PYTHONIOENCODING": "ascii"})

    assert outcome.status == 0
    assert "+ on time" in outcome.out
    assert "Gr??e" in outcome.out


def test_a_narrow_terminal_still_shows_every_id(cmcli: Cmcli) -> None:
    identifier = cmcli.canary("create", "--name", "A name that is far too long for it", "--periodicity", "300")["id"]

    assert identifier in cmcli.on_terminal("list", columns=60).out


def test_colour_can_be_switched_off(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="300")

    coloured, plain = (cmcli.on_terminal("list", with_escapes=True, environment=environment).out for environment in ({}, {"NO_COLOR": "1"}))

    assert "\x1b[32m" in coloured
    assert "\x1b[32m" not in plain
