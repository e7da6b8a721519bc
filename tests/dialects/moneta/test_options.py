"""/cluster/config/<option>, on both stores."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dialects.moneta.client import Moneta

MAILER = {"smtpserver": "mail.example.test:25", "sender": "cron@example.test", "timezone": "Europe/Paris"}
AUDIT = {"url": "http://search.example.test:9200/", "index": "moneta-${date}", "dateformat": "%Y.%m", "headers": None}
KEPT: list[tuple[str, Any, Any]] = [
    ("tick", 60, 30),
    ("tick", 60, 0.5),
    ("mailer", {"smtpserver": None, "sender": None, "timezone": "UTC"}, MAILER),
    ("audit", {"url": None, "index": None, "dateformat": None, "headers": None}, AUDIT),
    ("audit", {"url": None, "index": None, "dateformat": None, "headers": None}, {**AUDIT, "headers": {"authorization": "x"}}),
]


def config(option: str) -> str:
    return f"/cluster/config/{option}"


@pytest.fixture(autouse=True)
def _as_it_was(either: Moneta) -> Iterator[None]:
    """The options are those of the whole cluster."""
    yield
    for option in ("tick", "mailer", "audit", "execution_enabled"):
        either.call("DELETE", config(option))


@pytest.mark.parametrize(("option", "default"), [(option, default) for option, default, _ in KEPT[1:4]])
def test_an_option_that_nobody_has_set_has_its_default(either: Moneta, option: str, default: Any) -> None:
    assert either.get(config(option)) == default


@pytest.mark.parametrize(("option", "_default", "value"), KEPT)
def test_an_option_is_given_back_as_it_was_set(either: Moneta, option: str, _default: Any, value: Any) -> None:
    answer = either.call("PUT", config(option), value)

    assert (answer.status_code, answer.content) == (204, b"")
    assert either.get(config(option)) == value


@pytest.mark.parametrize("option", ["tick", "mailer", "audit", "execution_enabled", "tasks"])
def test_what_is_given_can_be_set_again(either: Moneta, option: str) -> None:
    assert either.call("PUT", config(option), either.get(config(option))).status_code == 204


@pytest.mark.parametrize(("option", "default", "value"), KEPT)
def test_an_option_that_is_deleted_has_its_default_again(either: Moneta, option: str, default: Any, value: Any) -> None:
    either.call("PUT", config(option), value)
    answer = either.call("DELETE", config(option))

    assert (answer.status_code, answer.content, either.get(config(option))) == (204, b"", default)


@pytest.mark.parametrize("option", ["tick", "mailer", "audit", "execution_enabled"])
def test_what_is_not_set_cannot_be_deleted(either: Moneta, option: str) -> None:
    answer = either.call("DELETE", config(option))

    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("option", ["nonsense", "open_to", "Tick"])
def test_an_unknown_option_is_answered_with_an_empty_404(either: Moneta, method: str, option: str) -> None:
    answer = either.call(method, config(option), {} if method == "PUT" else None)

    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("tick", "abc", "tick"),
        ("tick", 0, "tick"),
        ("tick", -1, "tick"),
        ("tick", True, "tick"),
        ("tick", [60], "tick"),
        ("mailer", {"timezone": "Mars"}, "mailer.timezone"),
        ("mailer", {"sender": "nobody"}, "mailer.sender"),
        ("mailer", {"nonsense": 1}, "unknown field 'mailer.nonsense'"),
        ("mailer", "mail.example.test", "mailer"),
        ("audit", {"url": "search"}, "audit.url"),
        ("audit", [], "audit"),
        ("execution_enabled", "no", "execution_enabled"),
        ("execution_enabled", 0, "execution_enabled"),
        ("tasks", [], "the tasks"),
    ],
)
def test_a_bad_value_is_refused_and_changes_nothing(either: Moneta, option: str, value: Any, named: str) -> None:
    before = either.get(config(option))
    status, text = either.error("PUT", config(option), value)

    assert (status, text.startswith(named), either.get(config(option))) == (400, True, before)


def test_execution_is_switched_off_for_all_nodes(either: Moneta) -> None:
    answer = either.call("PUT", config("execution_enabled"), False)

    assert (answer.status_code, either.get(config("execution_enabled"))) == (204, False)
    assert either.native("GET", "/execution") == {"enabled": False}


def test_to_delete_what_was_switched_off_switches_it_on(either: Moneta) -> None:
    either.call("PUT", config("execution_enabled"), False)
    answer = either.call("DELETE", config("execution_enabled"))

    assert (answer.status_code, either.native("GET", "/execution")) == (204, {"enabled": True})


def test_all_tasks_are_an_option_too(either: Moneta) -> None:
    task_id = either.created(unknown=7)

    assert either.get(config("tasks"))[task_id] == {"name": "A task", "command": "true", "unknown": 7, "tags": [], "pools": ["default"]}


def test_all_tasks_are_replaced_at_once(either: Moneta) -> None:
    kept, gone, new = either.created(), either.created(), uuid.uuid4().hex
    tasks = {each: {"name": "New", "command": "date", "tags": [], "pools": ["default"]} for each in (kept, new)}
    answer = either.call("PUT", config("tasks"), tasks)

    assert (answer.status_code, either.get("/tasks")) == (204, tasks)
    assert gone not in either.get("/tasks")


@pytest.mark.parametrize(
    ("bad_id", "bad_task", "fault"),
    [
        ("Backup-1", {"command": "true"}, "task 'Backup-1': an id has small letters and digits only"),
        ("bad", {"command": "true", "pools": []}, "task 'bad': pools is empty: no node would ever run the job"),
        ("bad", None, "task 'bad': the task is null, not an object"),
    ],
)
def test_if_one_task_is_refused_none_is_replaced(either: Moneta, bad_id: str, bad_task: Any, fault: str) -> None:
    task_id = either.created()
    before = either.get("/tasks")

    assert either.error("PUT", config("tasks"), {task_id: {"command": "date"}, bad_id: bad_task}) == (400, fault)
    assert either.get("/tasks") == before


def test_all_tasks_can_be_deleted_as_an_option(either: Moneta) -> None:
    either.created()
    answer = either.call("DELETE", config("tasks"))

    assert (answer.status_code, either.get("/tasks")) == (204, {})


def test_where_there_are_no_tasks_none_are_deleted(either: Moneta) -> None:
    either.call("DELETE", "/tasks")

    assert either.call("DELETE", config("tasks")).status_code == 404


def test_what_becomes_of_a_task_is_in_the_audit_log_with_who_has_done_it(either: Moneta) -> None:
    task_id = either.created()
    either.call("DELETE", f"/tasks/{task_id}")
    (deleted, created) = either.get(f"/tasks/{task_id}/auditlog")["records"]

    assert (created["user"], deleted["user"]) == ("somebody", "somebody")
