"""cmcli import moneta, as people see it."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from typing import Any

from tests.cli.command import Cmcli, read_to_end
from tests.cli.moneta.conftest import Ask

Given = Callable[[Any], str]

TASK = {"name": "Nightly \x1b[31mdump", "command": "true", "schedules": [{"hour": [2]}]}


def test_people_see_what_is_refused_and_how_many_were_created(cmcli: Cmcli, given: Given) -> None:
    outcome = cmcli.on_terminal("import", "moneta", given({"tasks": {"abc": TASK, "A-B": TASK}, "tick": 60}), columns=160)

    assert outcome.status == 1
    assert "✓ created" in outcome.out
    assert "✗ refused: its id has other characters" in outcome.out
    assert "2 tasks: 1 created, 1 refused\n1 option: 1 unchanged\n" in outcome.out


def test_people_see_which_members_would_change(cmcli: Cmcli, given: Given) -> None:
    cmcli("import", "moneta", given({"tasks": {"abc": TASK}}))
    outcome = cmcli.on_terminal("import", "moneta", given({"tasks": {"abc": {**TASK, "command": "false"}}}), "--dry-run", columns=160)

    assert "updated: command" in outcome.out
    assert "this was a dry run" in outcome.out


def test_people_see_that_nothing_runs_while_execution_is_off(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    ask("PUT", "/coal-mine/v1/execution", {"enabled": False})
    off = cmcli.on_terminal("import", "moneta", given({"tasks": {"abc": TASK}}))
    ask("PUT", "/coal-mine/v1/execution", {"enabled": True})
    on = cmcli.on_terminal("import", "moneta", given({"tasks": {"abc": TASK}}))

    assert "no task runs before cmcli execution on" in off.out
    assert "run from their next tick on" in on.out


def test_people_see_that_the_file_has_switched_execution_off(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    outcome = cmcli.on_terminal("import", "moneta", given({"tasks": {"abc": TASK}, "execution_enabled": False}))
    ask("PUT", "/coal-mine/v1/execution", {"enabled": True})

    assert "no task runs before cmcli execution on" in outcome.out


def test_people_see_in_which_zone_schedules_are_read(cmcli: Cmcli, given: Given) -> None:
    name = given({"tasks": {"abc": TASK}})
    written = [cmcli.on_terminal("import", "moneta", name, *options).out for options in (["--dry-run"], [])]

    assert ["Schedules are read in the time zone UTC.\n" in out for out in written] == [True, True]


def test_a_name_cannot_command_the_terminal(cmcli: Cmcli, given: Given) -> None:
    outcome = cmcli.on_terminal("import", "moneta", given({"tasks": {"abc": TASK}}), with_escapes=True)

    assert "Nightly" in outcome.out
    assert "\x1b[31m" not in outcome.out


def test_people_see_how_far_it_has_come(cmcli: Cmcli, given: Given) -> None:
    name = given({"tasks": {f"task{number}": TASK for number in range(30)}})
    master, slave = pty.openpty()
    with cmcli.start("import", "moneta", name, "--dry-run", stdout=subprocess.DEVNULL, stderr=slave) as process:
        os.close(slave)
        shown = read_to_end(master).decode()
    os.close(master)

    assert process.returncode == 0
    assert "Importing" in shown
    assert "100%" in shown
