"""What each command does to the server's canaries, seen through a pipe: JSON."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import Cmcli
from tests.support.server import CoalMine


def test_create_answers_with_the_canary(cmcli: Cmcli) -> None:
    outcome = cmcli(
        *("create", "--name", "My Second Canary", "--periodicity", "90000", "--description", "Über\nlines"),
        *("--email", "a@example.com", "--email", "b@example.com"),
    )

    canary = outcome.json["canary"]
    assert outcome.status == 0
    assert outcome.json["status"] == "ok"
    assert canary["slug"] == "my-second-canary"
    assert canary["periodicity"] == 90_000
    assert canary["description"] == "Über\nlines"
    assert canary["emails"] == ["a@example.com", "b@example.com"]
    assert canary["paused"] is False


def test_json_is_indented_and_ends_with_one_newline(cmcli: Cmcli) -> None:
    out = cmcli("create", "--name", "One", "--periodicity", "0.5").out

    assert out == json.dumps(json.loads(out), indent=4) + "\n"


def test_create_takes_a_schedule_with_grace_and_zone(cmcli: Cmcli) -> None:
    canary = cmcli.canary("create", "--name", "Cron", "--schedule", "0 6 * * mon-fri", "--grace", "1800", "--timezone", "Europe/Paris")

    assert canary["schedule"] == "0 6 * * mon-fri"
    assert canary["grace"] == 1_800
    assert canary["timezone"] == "Europe/Paris"
    assert "periodicity" not in canary


def test_create_takes_windows(cmcli: Cmcli) -> None:
    windows = "* 0-12 * * mon-fri 300 ; * * * * sat,sun 900"

    assert cmcli.canary("create", "--name", "Windows", "--periodicity", windows)["periodicity"] == windows


def test_create_can_pause(cmcli: Cmcli) -> None:
    canary = cmcli.canary("create", "--name", "Paused", "--periodicity", "60", "--paused")

    assert canary["paused"] is True
    assert "deadline" not in canary


@pytest.mark.parametrize("option", ["id", "slug", "name"])
def test_get_finds_a_canary_by_id_slug_or_name(server: CoalMine, cmcli: Cmcli, option: str) -> None:
    created = server.call("create", name="My Canary", periodicity="60")["canary"]

    assert cmcli.canary("get", f"--{option}", created[option])["id"] == created["id"]


def test_delete_removes_the_canary(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Gone", periodicity="60")

    assert cmcli("delete", "--slug", "gone").json == {"status": "ok"}
    assert cmcli("get", "--slug", "gone").status == 1


def test_trigger_keeps_the_comment(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="60", paused="true")

    answer = cmcli("trigger", "--name", "Job", "--comment", "took 5 & 6 s = £3").json

    assert answer == {"status": "ok", "recovered": False, "unpaused": True}
    assert cmcli.canary("get", "--slug", "job")["history"][0][1] == "Triggered (took 5 & 6 s = £3)"


def test_pause_and_unpause_keep_their_comments(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="60")

    paused = cmcli.canary("pause", "--slug", "job", "--comment", "holidays")
    unpaused = cmcli.canary("unpause", "--slug", "job", "--comment", "back")

    assert (paused["paused"], paused["history"][0][1]) == (True, "Paused (holidays)")
    assert (unpaused["paused"], unpaused["history"][0][1]) == (False, "Unpaused (back)")


def test_update_by_name_alone_looks_the_canary_up(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="60", description="old", email="a@example.com")

    canary = cmcli.canary("update", "--name", "Job", "--periodicity", "120")

    assert canary["name"] == "Job"
    assert canary["periodicity"] == 120
    assert canary["description"] == "old"
    assert canary["emails"] == ["a@example.com"]


@pytest.mark.parametrize("option", ["id", "slug"])
def test_update_by_id_or_slug_takes_the_name_as_the_new_one(server: CoalMine, cmcli: Cmcli, option: str) -> None:
    created = server.call("create", name="Old", periodicity="60")["canary"]

    canary = cmcli.canary("update", f"--{option}", created[option], "--name", "New")

    assert (canary["id"], canary["name"], canary["slug"]) == (created["id"], "New", "new")


def test_update_with_a_hyphen_clears_the_addresses(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="60", email="a@example.com")

    assert cmcli.canary("update", "--name", "Job", "--email", "-")["emails"] == []


def test_update_can_empty_the_description(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="60", description="old")

    assert cmcli.canary("update", "--slug", "job", "--description", "")["description"] == ""


def test_list_shows_names_and_ids_in_a_pipe(server: CoalMine, cmcli: Cmcli) -> None:
    created = server.call("create", name="Job", periodicity="60")["canary"]

    assert cmcli("list").json == {"status": "ok", "canaries": [{"id": created["id"], "name": "Job"}]}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], ["Running", "Sleeping"]),
        (["--paused"], ["Sleeping"]),
        (["--no-paused"], ["Running"]),
        (["--late"], []),
        (["--no-late", "--paused"], ["Sleeping"]),
        (["--search", "^Run"], ["Running"]),
        (["--search", "example[.]com"], ["Sleeping"]),
    ],
)
def test_list_filters(server: CoalMine, cmcli: Cmcli, filters: list[str], names: list[str]) -> None:
    server.call("create", name="Running", periodicity="6000")
    server.call("create", name="Sleeping", periodicity="60", paused="true", email="me@example.com")

    assert [canary["name"] for canary in cmcli("list", *filters).json["canaries"]] == names


def test_list_verbose_shows_all_fields(server: CoalMine, cmcli: Cmcli) -> None:
    created = server.call("create", name="Job", periodicity="60")["canary"]

    assert cmcli("list", "--verbose").json["canaries"] == [created]


@pytest.mark.parametrize("option", ["--no-history", "--terse"])
def test_history_is_left_out_everywhere(cmcli: Cmcli, option: str) -> None:
    commands = [
        ["create", "--name", "Job", "--periodicity", "60"],
        ["get", "--slug", "job"],
        ["update", "--slug", "job", "--periodicity", "70"],
        ["pause", "--slug", "job"],
        ["unpause", "--slug", "job"],
    ]

    answers = [cmcli.canary(*command, option) for command in commands]

    assert all(answer["name"] == "Job" and "history" not in answer for answer in answers)


def test_history_is_left_out_of_lists(server: CoalMine, cmcli: Cmcli) -> None:
    server.call("create", name="Job", periodicity="60")

    brief, verbose = (cmcli("list", "--terse", *more).json["canaries"][0] for more in ([], ["--verbose"]))

    assert sorted(brief) == ["id", "name"]
    assert "deadline" in verbose
    assert "history" not in verbose


def test_values_far_too_long_for_a_url_arrive(cmcli: Cmcli) -> None:
    description = "ö" * 10_000

    assert cmcli.canary("create", "--name", "Long", "--periodicity", "60", "--description", description)["description"] == description


def test_values_may_begin_with_a_hyphen(cmcli: Cmcli) -> None:
    assert cmcli.canary("create", "--name", "--odd name", "--periodicity", "60")["name"] == "--odd name"
