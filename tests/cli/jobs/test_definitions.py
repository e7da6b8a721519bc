"""Defining jobs: what each option means for the job, and how jobs are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Cmcli
from tests.cli.jobs.conftest import Call
from tests.cli.jobs.within import CmcliWithin
from tests.cli.stranger import Answer, Stranger
from tests.support.server import CoalMine

EVERYTHING = [
    *("--name", "Nightly", "--namespace", "ops/db", "--id", "nightly", "--description", "All of it"),
    *("--cron", "30 2 * * *", "--cron", "0 H * * *", "--every", "300", "--at", "2030-12-24T18:00:00", "--rrule", "FREQ=WEEKLY;BYDAY=MO"),
    *("--timezone", "Europe/Paris", "--pool", "default", "--pool", "big", "--mode", "all", "--user", "nobody", "--group", "nogroup"),
    *("--workdir", "/tmp", "--env", "A=b=c", "--env", "EMPTY=", "--secret", "TOKEN=vault/x", "--timeout", "1.5", "--retries", "2"),
    *("--overlap", "allow", "--catch-up", "none", "--start-deadline", "90", "--grace", "600", "--priority", "-3"),
    *("--email", "a@example.com", "--email", "b@example.com", "--mail-report", "error", "--mail-to", "c@example.com"),
    *("--param", "SIZE=big", "--param", "PLACE", "--tag", "db", "--tag", "night", "--label", "team=blue", "--disabled"),
    *("--kill-wait", "3", "--on-lost", "rerun", "--failure-alerts", "every", "--runner", "command"),
    *("--cpus", "0.5", "--mem", "256", "--disk", "10"),
    *("--", "tar", "--create", "--file", "x y"),
]


@pytest.fixture(scope="module")
def created(running: CoalMine, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A job for which every option was given."""
    home = tmp_path_factory.mktemp("home")
    outcome = CmcliWithin(home, COAL_MINE_HOST=running.url, XDG_STATE_HOME=str(running.directory / "state"))("job", "create", *EVERYTHING)
    assert (outcome.status, outcome.err) == (0, "")

    return outcome.json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Nightly"),
        ("namespace", "ops/db"),
        ("id", "ops:db:nightly"),
        ("description", "All of it"),
        ("pools", ["default", "big"]),
        ("mode", "all"),
        ("user", "nobody"),
        ("group", "nogroup"),
        ("workdir", "/tmp"),
        ("env", {"A": "b=c", "EMPTY": ""}),
        ("secrets", {"TOKEN": "vault/x"}),
        ("timeout", 1.5),
        ("start_deadline", 90),
        ("grace", 600),
        ("priority", -3),
        ("kill_wait", 3),
        ("on_lost", "rerun"),
        ("failure_alerts", "every"),
        ("runner", "command"),
        ("cpus", 0.5),
        ("mem", 256),
        ("disk", 10),
        ("emails", ["a@example.com", "b@example.com"]),
        ("mail_report", "error"),
        ("mail_to", ["c@example.com"]),
        ("tags", ["db", "night"]),
        ("labels", {"team": "blue"}),
        ("enabled", False),
        ("command", ["tar", "--create", "--file", "x y"]),
    ],
)
def test_each_option_is_a_field_of_the_job(created: Any, field: str, value: Any) -> None:
    assert created[field] == value


def test_schedules_of_all_kinds_are_in_the_zone_that_is_named(created: Any) -> None:
    kinds = [next(iter(schedule)) for schedule in created["schedules"]]

    assert kinds == ["cron", "cron", "every", "at", "rrule"]
    assert {schedule["timezone"] for schedule in created["schedules"]} == {"Europe/Paris"}


@pytest.mark.parametrize(
    ("policy", "part", "value"), [("retries", "max", 2), ("overlap", "policy", "allow"), ("catch_up", "policy", "none")]
)
def test_policies_are_named_by_one_word(created: Any, policy: str, part: str, value: Any) -> None:
    assert created[policy][part] == value


def test_a_parameter_may_have_a_default(created: Any) -> None:
    assert [(parameter["name"], parameter["default"]) for parameter in created["parameters"]] == [("SIZE", "big"), ("PLACE", None)]


def test_one_word_is_a_shell_command(cmcli: Cmcli) -> None:
    assert cmcli("job", "create", "--name", "Shell", "date | wc").json["command"] == "date | wc"


def test_what_stands_behind_the_command_belongs_to_it(cmcli: Cmcli) -> None:
    created = cmcli("job", "create", "--name", "Words", "rsync", "--user", "me", "--name", "x").json

    assert (created["name"], created["user"], created["command"]) == ("Words", "", ["rsync", "--user", "me", "--name", "x"])


def test_a_script_is_read_from_a_file_and_the_command_is_its_arguments(cmcli: Cmcli) -> None:
    (cmcli.home / "job.sh").write_text("#!/bin/sh\necho $1\n")

    created = cmcli("job", "create", "--name", "Script", "--script", "job.sh", "one").json

    assert (created["script"], created["command"]) == ("#!/bin/sh\necho $1\n", ["one"])


def test_options_override_the_file(cmcli: Cmcli) -> None:
    (cmcli.home / "job.json").write_text(json.dumps({"name": "File", "command": "date", "timeout": 5, "tags": ["x"]}))

    created = cmcli("job", "create", "--file", "job.json", "--timeout", "7").json

    assert (created["name"], created["timeout"], created["tags"]) == ("File", 7, ["x"])


def test_update_changes_only_what_is_given(cmcli: Cmcli, job: Call) -> None:
    job_id = job("date", timeout=5, tags=["x"])

    changed = cmcli("job", "update", job_id, "--timeout", "7", "rsync", "--delete").json

    assert (changed["timeout"], changed["tags"], changed["command"]) == (7, ["x"], ["rsync", "--delete"])


def test_a_hyphen_takes_away_what_the_job_has(cmcli: Cmcli, job: Call) -> None:
    job_id = job("date", timeout=5, user="nobody", emails=["a@example.com"], env={"A": "b"}, retries=2, schedules=[{"every": 60}])
    options = ["--timeout", "--user", "--email", "--env", "--retries", "--cron"]

    changed = cmcli("job", "update", job_id, *(word for option in options for word in (option, "-"))).json

    assert (changed["timeout"], changed["user"], changed["emails"], changed["env"]) == (None, "", [], {})
    assert (changed["retries"]["max"], changed["schedules"]) == (0, [])


def test_a_dry_run_shows_the_next_ticks_in_the_zone_of_the_schedule(cmcli: Cmcli) -> None:
    arguments = ["--name", "Dry", "--cron", "0 6 * * *", "--timezone", "Asia/Tokyo", "date"]

    ticks = cmcli("job", "create", "--dry-run", *arguments).json["next_ticks"]

    assert [tick[10:] for tick in ticks] == ["T06:00:00.000+09:00"] * 10


def test_a_dry_run_of_an_update_changes_nothing(cmcli: Cmcli, call: Call, job: Call) -> None:
    job_id = job("date", timeout=5)

    definition = cmcli("job", "update", job_id, "--dry-run", "--timeout", "7").json["definition"]

    assert definition["timeout"] == 7
    assert call("GET", f"jobs/{job_id}")["timeout"] == 5


def test_what_get_prints_can_be_given_to_replace(cmcli: Cmcli, job: Call) -> None:
    job_id = job("date", timeout=5)
    text = cmcli("job", "get", job_id).out.replace('"timeout": 5', '"timeout": 8')
    (cmcli.home / "job.json").write_text(text)

    assert cmcli("job", "replace", job_id, "--file", "job.json").json["timeout"] == 8


def test_a_job_is_found_by_its_name_when_no_other_has_it(cmcli: Cmcli, job: Call) -> None:
    job_id = job("date", name="The Only One")

    assert cmcli("job", "disable", "The Only One").json["id"] == job_id


def test_of_several_jobs_with_a_name_the_ids_are_said(cmcli: Cmcli, job: Call) -> None:
    first, second = (job("date", name="Twins") for _ in range(2))

    outcome = cmcli("job", "get", "Twins")

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == f"cmcli: 2 jobs have the name 'Twins'; give one of their ids: {first}, {second}\n"


def test_a_job_that_does_not_exist_is_one_line(cmcli: Cmcli) -> None:
    outcome = cmcli("job", "enable", "nothing such")

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "cmcli: there is no job with the id 'nothing such'\n"


@pytest.mark.parametrize("filters", [["--tag", "red"], ["--name", "Red One"], ["--namespace", "reds"], ["--pool", "red"], ["--disabled"]])
def test_list_filters(cmcli: Cmcli, job: Call, filters: list[str]) -> None:
    wanted = job("date", name="Red One", namespace="reds", tags=["red"], pools=["red"], enabled=False)
    job("date", tags=["blue"])

    assert [found["id"] for found in cmcli("job", "list", *filters).json["jobs"]] == [wanted]


def test_all_pages_are_one_answer(unconfigured: Cmcli, stranger: Stranger) -> None:
    first = {"jobs": [{"id": "a"}], "next": "a", "total": 2}
    second = {"jobs": [{"id": "b"}], "next": None, "total": 2}
    stranger.answer = lambda seen: Answer(json.dumps(second if "after=a" in seen.target else first).encode())

    answer = unconfigured("job", "list", "--all", "--host", stranger.url).json

    assert answer == {"jobs": [{"id": "a"}, {"id": "b"}], "next": None, "total": 2}


def test_next_shows_so_many_ticks_as_are_asked_for(cmcli: Cmcli, job: Call) -> None:
    job_id = job("date", schedules=[{"cron": "0 6 * * *"}])

    assert len(cmcli("job", "next", job_id, "--count", "3").json["next_ticks"]) == 3


def test_delete_removes_the_job(cmcli: Cmcli, job: Call) -> None:
    job_id = job("date")

    assert cmcli("job", "delete", job_id).json == {"status": "ok"}
    assert cmcli("job", "get", job_id).status == 1


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["job", "create", "date"], "Missing option --name"),
        (["job", "create", "--name", "x", "--timezone", "UTC", "date"], "give one of these"),
        (["job", "create", "--name", "x", "--env", "A", "date"], "--env 'A' is not NAME=VALUE"),
        (["job", "create", "--name", "x", "--timeout", "nan", "date"], "is not a number"),
        (["job", "create", "--name", "x", "--", "--user", "me"], "options stand before the command"),
        (["job", "create", "--file", "/nowhere/job.json"], "No such file"),
        (["job", "create", "--file", "/dev/null"], "/dev/null holds no JSON"),
        (["job", "update", "x"], "Nothing to change is given"),
        (["job", "list", "--all", "--limit", "5"], "exclude each other"),
        (["job", "run", "x", "--param", "=b"], "--param '=b' is not NAME=VALUE"),
    ],
)
def test_wrong_usage_is_explained(unconfigured: Cmcli, arguments: list[str], hint: str) -> None:
    outcome = unconfigured(*arguments)

    assert (outcome.status, outcome.out) == (2, "")
    assert hint in outcome.err


def test_what_the_server_refuses_names_the_field(cmcli: Cmcli, tmp_path: Path) -> None:
    outcome = cmcli("job", "create", "--name", "x", "--overlap", "never", "date")

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == "cmcli: overlap is 'never', which is none of skip, queue, replace, allow\n"
