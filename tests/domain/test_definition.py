"""Definitions of jobs, as strangers write them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from coal_mine.domain.definition import definition_as_json, definition_as_text, definition_from, definition_from_text, merged
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import CatchUpPolicy, Definition, Overlap, OverlapPolicy, Retries
from tests.domain.samples import NOW

PLAIN = {"name": "Backup", "command": "true"}


def read(**fields: Any) -> Definition:
    return definition_from(PLAIN | fields, job_id="job", now=NOW)


def test_what_nobody_says_has_its_default() -> None:
    one = read()

    assert (one.pools, one.overlap.policy, one.retries.most, one.catch_up.policy) == (
        ("default",),
        OverlapPolicy.SKIP,
        0,
        CatchUpPolicy.LATEST,
    )
    assert one.catch_up.within_seconds == 3_600


def test_null_is_as_good_as_absent() -> None:
    assert read(timeout=None, pools=None, retries=None, overlap=None, env=None) == read()


def test_its_json_means_the_same_again() -> None:
    one = read(
        schedules=[{"cron": "H 2 * * *", "timezone": "Europe/Paris"}, {"every": 300}], env={"A": "1"}, retries=3, overlap="queue",
        catch_up={"policy": "all", "max": 5}, parameters=[{"name": "DAY", "values": ["mon", "tue"]}], mail_report="error",
        mail_to=["jo@example.com"], labels={"team": "shop"}, timeout=0.5, runner="instance", runner_name="cloud",
        details={"instance_id": "i-1"}, given={"moneta": {"colour": "blue", "deep": [None, {"a": 1.5}], "text": "\ud800 é"}},
    )  # fmt: skip

    assert definition_from(definition_as_json(one), job_id="job", now=NOW + timedelta(days=1)) == one
    assert definition_from_text(definition_as_text(one), "job") == one


def test_what_an_older_systems_client_wrote_is_kept_in_one_form() -> None:
    assert read(given={"moneta": {"a": 1, "b": [True]}}).given == (("moneta", '{"a":1,"b":[true]}'),)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"given": [1]}, "given is a list, not an object"),
        ({"given": {"Moneta": {}}}, "given 'Moneta' is not the name of an older system"),
        ({"given": {"moneta": "text"}}, "given.moneta is a text, not an object"),
        ({"given": {"moneta": {"text": "x" * 70_000}}}, "given.moneta has 70011 characters as JSON; at most 65536 are allowed"),
        ({"runner": "instance"}, "runner_name is missing"),
        ({"runner_name": "cloud"}, "runner_name is 'cloud', but the runner is command"),
        ({"runner": "dummy", "runner_name": "a cloud"}, "runner_name 'a cloud' is not a runner's name"),
        ({"runner": "dummy", "details": {"id": 1}}, "details.id is a number, not a text"),
    ],
)
def test_what_a_runner_or_an_older_system_cannot_have_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=re.escape(message)):
        read(**fields)


def test_what_a_newer_version_stored_is_read_without_what_is_unknown() -> None:
    one = read(parameters=[{"name": "DAY"}], retries=3)
    stored = definition_as_json(one)
    stored["retries"]["until"] = stored["parameters"][0]["kind"] = stored["cleanup"] = "new"

    assert definition_from_text(json.dumps(stored), "job") == one


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        ("skip", Overlap()),
        ("queue_one", Overlap(policy=OverlapPolicy.QUEUE, waiting=1)),
        ("queue", Overlap(policy=OverlapPolicy.QUEUE, waiting=10)),
        ({"policy": "queue", "waiting": 3}, Overlap(policy=OverlapPolicy.QUEUE, waiting=3)),
        ({"policy": "allow", "limit": 2}, Overlap(policy=OverlapPolicy.ALLOW, limit=2)),
    ],
)
def test_an_overlap_policy_is_a_word_or_says_all(overlap: Any, expected: Overlap) -> None:
    assert read(overlap=overlap).overlap == expected


def test_retries_are_a_number_or_say_all() -> None:
    assert read(retries=2).retries == Retries(most=2)
    assert read(retries={"max": 2, "wait": 1, "factor": 1}).retries == Retries(most=2, wait_seconds=1, factor=1)


@pytest.mark.parametrize(("policy", "limit"), [("skip", 1), ("queue", 1), ("replace", 1), ("allow", None)])
def test_the_policy_says_how_many_runs_may_be_under_way(policy: str, limit: int | None) -> None:
    assert read(overlap=policy).limit == limit


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "name is missing"),
        ({"name": "!!!"}, "name must contain at least one letter or digit"),
        ({"name": "a\nb"}, "name contains the control character U+000A at position 2"),
        ({"command": ""}, "command is missing"),
        ({"command": 1}, "command is a number, not a text"),
        ({"command": ["", "x"]}, "command[0] is empty"),
        ({"command": ["a", 1]}, "command[1] is a number, not a text"),
        ({"command": "x" * 65_537}, "command has 65537 characters"),
        ({"script": "#!/bin/sh\n"}, "command must be a list beside a script"),
        ({"pools": []}, "pools is empty"),
        ({"pools": ["a b"]}, "pools 'a b' is not a pool's name"),
        ({"pools": "default"}, "pools is a text, not a list"),
        ({"mode": "some"}, "mode is 'some', which is none of any, all"),
        ({"runner": 1}, "runner is 1, which is none of"),
        ({"workdir": "tmp"}, "workdir 'tmp' is not an absolute path"),
        ({"user": "a b"}, "user 'a b' is not the name of a user"),
        ({"group": "-x"}, "group '-x' is not the name of a group"),
        ({"env": {"A=B": "1"}}, "env 'A=B' is not a variable's name"),
        ({"env": {"JOB_ID": "1"}}, "env 'JOB_ID': the variables JOB_... are set by Coal Mine"),
        ({"env": {"A": 1}}, "env.A is a number, not a text"),
        ({"env": {"A": "\0"}}, "env.A contains the control character U+0000"),
        ({"env": {"A": "1"}, "secrets": {"A": "x"}}, "secrets names 'A', which env does too"),
        ({"timeout": 0}, "timeout is 0; it must lie between"),
        ({"timeout": float("nan")}, "timeout is nan; it must lie between"),
        ({"timeout": float("inf")}, "timeout is too large; it must lie between"),
        ({"timeout": 10**400}, "timeout is too large; it must lie between"),
        ({"timeout": True}, "timeout is true or false, not a number"),
        ({"timeout": "5"}, "timeout is a text, not a number"),
        ({"priority": 1.5}, "priority is 1.5, not a whole number"),
        ({"retries": -1}, "retries is -1; it must lie between 0 and 1000"),
        ({"retries": {"most": 1}}, "unknown field 'retries.most'; known are max, wait, factor, longest"),
        ({"retries": {"factor": 0}}, "retries.factor is 0; it must lie between 1 and 100"),
        ({"overlap": "some"}, "overlap is 'some', which is none of"),
        ({"overlap": {"limit": 0}}, "overlap.limit is 0; it must lie between 1 and 10000"),
        ({"catch_up": {"within": 0}}, "catch_up.within is 0; it must lie between 1 and"),
        ({"emails": ["jo"]}, "emails: email 'jo' is not an address"),
        ({"mail_report": "error"}, "mail_report is error, but mail_to names nobody"),
        ({"parameters": [{"name": "A"}, {"name": "A"}]}, "parameters names one parameter twice"),
        ({"parameters": [{"name": "A", "values": ["1"], "default": "2"}]}, "parameters[0].default is none of the values"),
        ({"parameters": [{"name": "JOB_ID"}]}, "parameters[0].name 'JOB_ID' is not a parameter's name"),
        ({"schedules": [{"cron": "* * * * *"}, {"cron": "x"}]}, "schedules[1].cron"),
        ({"schedules": {}}, "schedules is an object, not a list"),
        ({"comand": "x"}, "unknown field 'comand'; known are name, description"),
        ({"tags": ["x"] * 101}, "tags has 101 elements; at most 100 are allowed"),
    ],
)
def test_a_mistake_is_named_with_its_field(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as error:
        read(**fields)

    assert message in str(error.value)


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(Invalid, match=r"the body is .*, not an object"):
        definition_from(value, job_id="job", now=NOW)


def test_a_change_replaces_the_fields_that_it_names() -> None:
    changed = merged(read(timeout=5, env={"A": "1"}), {"env": {"B": "2"}})

    assert (changed["timeout"], changed["env"]) == (5, {"B": "2"})


@pytest.mark.parametrize(
    ("schedules", "seconds"),
    [
        ([{"every": 10}], 60),
        ([{"every": 600}], 300),
        ([{"every": 86_400}], 3_600),
        ([], 3_600),
    ],
)
def test_a_run_may_start_within_half_a_period_of_a_minute_at_least_and_an_hour_at_most(schedules: list[Any], seconds: int) -> None:
    assert read(schedules=schedules).start_deadline(NOW) == timedelta(seconds=seconds)


def test_a_start_deadline_that_is_given_holds() -> None:
    assert read(schedules=[{"every": 10}], start_deadline=5).start_deadline(NOW) == timedelta(seconds=5)
