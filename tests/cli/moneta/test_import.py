"""cmcli import moneta: what becomes of tasks and options, and what is said of those that are refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.command import Cmcli
from tests.cli.moneta.conftest import Ask
from tests.cli.stranger import Answer, Stranger
from tests.support.moneta_tasks import DOCUMENTED

Given = Callable[[Any], str]

# What only some have.
BARE = {"name": "Bare", "command": "date", "schedules": [{}, None], "own_field": {"kept": True}}
CONFIG = {
    "tasks": {"021b2092ef4111e481a852540064e600": DOCUMENTED, "1e5": BARE},
    "tick": 30,
    "mailer": {"smtpserver": "mail", "sender": "m@example.com"},
}


def results(answer: Any) -> dict[str, str]:
    return {item["id"]: item["result"] for item in answer["tasks"] + answer["options"]}


def test_each_task_of_the_file_is_a_task_here(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    outcome = cmcli("import", "moneta", given(CONFIG))

    assert (outcome.status, outcome.err) == (0, "")
    assert ask("GET", "/tasks") == {
        "021b2092ef4111e481a852540064e600": DOCUMENTED,
        "1e5": {**BARE, "tags": [], "pools": ["default"]},
    }


def test_options_are_taken_over(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG))

    assert ask("GET", "/cluster/config/tick") == 30
    assert ask("GET", "/cluster/config/mailer") == CONFIG["mailer"]


def test_the_answer_says_what_was_created_and_set(cmcli: Cmcli, given: Given) -> None:
    answer = cmcli("import", "moneta", given(CONFIG)).json

    assert answer == {
        "dry_run": False,
        "timezone": "UTC",
        "tasks": [
            {"id": "021b2092ef4111e481a852540064e600", "name": "My task", "result": "created"},
            {"id": "1e5", "name": "Bare", "result": "created"},
        ],
        "options": [{"id": "tick", "result": "updated"}, {"id": "mailer", "result": "updated"}],
        "summary": {"created": 2, "updated": 2, "unchanged": 0, "refused": 0},
    }


def test_a_second_import_changes_nothing(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG))
    before = ask("GET", "/coal-mine/v1/jobs")
    answer = cmcli("import", "moneta", given(CONFIG)).json

    assert set(results(answer).values()) == {"unchanged"}
    assert [job["version"] for job in ask("GET", "/coal-mine/v1/jobs")["jobs"]] == [job["version"] for job in before["jobs"]]


def test_what_the_server_shows_can_be_imported_and_changes_nothing(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG))
    answer = cmcli("import", "moneta", given(ask("GET", "/tasks"))).json

    assert set(results(answer).values()) == {"unchanged"}


def test_a_task_that_is_otherwise_in_the_file_is_updated(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG))
    answer = cmcli("import", "moneta", given({"tasks": {"1e5": {**BARE, "command": "time"}}})).json

    assert results(answer) == {"1e5": "updated"}
    assert ask("GET", "/tasks/1e5")["command"] == "time"


def test_a_task_that_the_file_does_not_have_stays(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG))
    cmcli("import", "moneta", given({"tasks": {"new": BARE}}))

    assert set(ask("GET", "/tasks")) == {"021b2092ef4111e481a852540064e600", "1e5", "new"}


def test_a_file_from_standard_input_is_imported(cmcli: Cmcli, ask: Ask) -> None:
    with cmcli.start("import", "moneta", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        out, _ = process.communicate(json.dumps(CONFIG["tasks"]).encode())

    assert json.loads(out)["summary"]["created"] == len(ask("GET", "/tasks")) == 2


def test_a_dry_run_writes_nothing(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    answer = cmcli("import", "moneta", given(CONFIG), "--dry-run").json

    assert results(answer) == {"021b2092ef4111e481a852540064e600": "created", "1e5": "created", "tick": "updated", "mailer": "updated"}
    assert (ask("GET", "/tasks"), ask("GET", "/cluster/config/tick")) == ({}, 60)


def test_a_dry_run_says_which_members_would_change(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG))
    changed = {**BARE, "command": "time", "enabled": True, "tags": ["x"]}
    answer = cmcli("import", "moneta", given({"tasks": {"1e5": changed}}), "--dry-run").json

    assert answer["tasks"] == [{"id": "1e5", "name": "Bare", "result": "updated", "changes": ["command", "enabled", "tags"]}]
    assert ask("GET", "/tasks/1e5")["command"] == "date"


def test_a_dry_run_after_the_import_finds_nothing_to_do(cmcli: Cmcli, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG))
    answer = cmcli("import", "moneta", given(CONFIG), "--dry-run").json

    assert set(results(answer).values()) == {"unchanged"}


# Python takes one for the other, and JSON does not.
ALIKE = [(1, True), (0, False), (1, 1.0), ([{"a": 1}], [{"a": True}])]


@pytest.mark.parametrize(("there", "here"), ALIKE)
def test_a_dry_run_tells_numbers_from_what_python_takes_for_them(
    unconfigured: Cmcli, stranger: Stranger, given: Given, there: Any, here: Any
) -> None:
    stranger.answer = lambda seen: _answer_of_a_server(seen, {**BARE, "tags": [], "pools": ["default"], "own": there})
    answer = unconfigured("import", "moneta", given({"tasks": {"a": {**BARE, "own": here}}}), "--dry-run", "--host", stranger.url).json

    assert answer["tasks"][0]["changes"] == ["own"]


def _answer_of_a_server(seen: Any, task: Any) -> Answer:
    """Of one in Tokyo that has this task, and would update it."""
    if seen.method == "PUT":
        return Answer(b'{"id": "a", "dry_run": true, "updated": true}')
    if seen.target.startswith("/tasks/"):
        return Answer(json.dumps(task).encode())
    return Answer(b'{"enabled": true, "timezone": "Asia/Tokyo"}')


def test_an_option_is_told_from_what_python_takes_for_it(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    ask("PUT", "/cluster/config/tick", 1)
    answer = cmcli("import", "moneta", given({"tasks": {}, "tick": 1.0})).json

    assert results(answer) == {"tick": "updated"}


def test_it_is_said_in_which_zone_the_server_reads_schedules(unconfigured: Cmcli, stranger: Stranger, given: Given) -> None:
    stranger.answer = lambda seen: _answer_of_a_server(seen, {})
    answer = unconfigured("import", "moneta", given({"tasks": {}}), "--dry-run", "--host", stranger.url).json

    assert answer["timezone"] == "Asia/Tokyo"


def test_execution_is_switched_as_the_file_says(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given({"tasks": {}, "execution_enabled": False}))
    off = ask("GET", "/coal-mine/v1/execution")["enabled"]
    cmcli("import", "moneta", given({"tasks": {}, "execution_enabled": True}))

    assert (off, ask("GET", "/coal-mine/v1/execution")["enabled"]) == (False, True)


def test_a_dry_run_warns_of_what_would_never_run(cmcli: Cmcli, given: Given) -> None:
    answer = cmcli("import", "moneta", given({"tasks": {"abc": {**BARE, "pools": ["nowhere"]}}}), "--dry-run").json

    assert answer["tasks"][0]["warnings"] == ["no node serves the pool nowhere: no run can start until one does"]


def test_tasks_can_wait_until_moneta_no_longer_runs_them(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given(CONFIG), "--disabled")
    before = ask("GET", "/tasks/021b2092ef4111e481a852540064e600")
    answer = cmcli("import", "moneta", given(CONFIG)).json

    assert before == {**DOCUMENTED, "enabled": False}
    assert results(answer) == {
        "021b2092ef4111e481a852540064e600": "updated",
        "1e5": "unchanged",
        "tick": "unchanged",
        "mailer": "unchanged",
    }
    assert ask("GET", "/tasks/021b2092ef4111e481a852540064e600") == DOCUMENTED


BAD = {
    "UPPER": BARE,
    "with-hyphen": BARE,
    "range": {**BARE, "schedules": [{"hour": "22-6"}]},
    "nocommand": {"name": "x", "enabled": True},
    "list": [],
    "good": BARE,
}
SAID = {
    "UPPER": "its id has other characters",
    "with-hyphen": "its id has other characters",
    "range": "22-6",
    "nocommand": "command is missing",
    "list": "not an object",
}


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_what_is_refused_is_said_with_the_reason(cmcli: Cmcli, given: Given, option: list[str]) -> None:
    outcome = cmcli("import", "moneta", given({"tasks": BAD}), *option)
    refused = {item["id"]: item["reason"] for item in outcome.json["tasks"] if item["result"] == "refused"}

    assert outcome.status == 1
    assert set(refused) == set(SAID)
    assert all(SAID[task_id] in reason for task_id, reason in refused.items())


def test_what_is_refused_keeps_nothing_else_from_being_imported(cmcli: Cmcli, ask: Ask, given: Given) -> None:
    cmcli("import", "moneta", given({"tasks": BAD}))

    assert list(ask("GET", "/tasks")) == ["good"]


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("tick", "abc", "tick is a text, not a number of seconds"),
        ("mailer", {"timezone": "Paris"}, "Paris"),
        ("others", 1, "there is no such option here"),
        ("tasks/x", 1, "there is no such option here"),
    ],
)
def test_an_option_that_is_refused_is_said_with_the_reason(
    cmcli: Cmcli, given: Given, name: str, value: Any, said: str, option: list[str]
) -> None:
    outcome = cmcli("import", "moneta", given({"tasks": {}, name: value}), *option)
    (item,) = outcome.json["options"]

    assert (outcome.status, item["id"], item["result"]) == (1, name, "refused")
    assert said in item["reason"]


def test_a_file_that_cannot_be_read_is_one_line_and_nothing_is_asked(unconfigured: Cmcli, given: Given) -> None:
    outcome = unconfigured("import", "moneta", given([1]))

    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == "cmcli: moneta.json: no configuration of Moneta: an object with the member tasks is needed\n"


def test_a_wrong_key_is_told_before_anything_is_written(cmcli: Cmcli, given: Given) -> None:
    outcome = cmcli("import", "moneta", given(CONFIG), "--auth-key", "wrong")

    assert (outcome.status, outcome.out) == (1, "")
    assert "--auth-key" in outcome.err


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_moneta_itself_gets_nothing_to_write(unconfigured: Cmcli, stranger: Stranger, given: Given, option: list[str]) -> None:
    """It would take no notice of a dry run."""
    stranger.answer = lambda seen: Answer(b"", status=405)
    outcome = unconfigured("import", "moneta", given(CONFIG), "--host", stranger.url, *option)

    assert outcome.status == 1
    assert "but not as Coal Mine does" in outcome.err
    assert [seen.method for seen in stranger.seen] == ["GET"]


def test_a_server_that_ends_in_the_middle_is_told_with_how_far_it_came(unconfigured: Cmcli, stranger: Stranger, given: Given) -> None:
    def answer(seen: Any) -> Answer:
        if seen.target.startswith("/coal-mine/"):
            return Answer(b'{"enabled": true}')
        if seen.target == "/status":
            return Answer(b'{"timezone": "UTC"}')
        if seen.target == "/tasks/a":
            return Answer(b'{"id": "a", "created": true}', status=201)
        return Answer(b'{"error": true, "message": "the store does not answer"}', status=503)

    stranger.answer = answer
    outcome = unconfigured("import", "moneta", given({"tasks": {"a": BARE, "b": BARE, "c": BARE}}), "--host", stranger.url)

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        "cmcli: 1 of 3 are done; what is missing follows when the same command is given again\ncmcli: the store does not answer\n"
    )
