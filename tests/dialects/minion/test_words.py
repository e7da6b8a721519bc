"""One job in Minion's words and in ours, whoever changes it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests

from tests.dialects.minion.client import MinionClient

EVERY_NAME = ["", "...", "x" * 300, "two\nlines", "bell\x07", "été", "  ", "\U0001f600"]


def patched(minion: MinionClient, job: Any, **fields: Any) -> Any:
    """The job as Minion shows it after a change by the native API."""
    minion.native("PATCH", f"/jobs/{minion.native_id(job)}", fields)
    return got(minion, job)


def got(minion: MinionClient, job: Any) -> Any:
    return minion.call("GET", f"/jobs/{job['group']}/{job['id']}").json()


def put(minion: MinionClient, job: Any, **fields: Any) -> Any:
    answer = minion.call("PUT", f"/jobs/{job['group']}/{job['id']}", job | fields)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_what_is_not_given_has_gos_zero_value(minion: MinionClient, group: str) -> None:
    job = minion.call("POST", f"/jobs/{group}", {}).json()

    assert job == {
        "account": "spinup", "description": "", "details": None, "enabled": False, "group": group, "id": job["id"],
        "modified_at": job["modified_at"], "modified_by": "", "name": "", "schedule_expression": "",
    }  # fmt: skip


def test_null_is_as_good_as_absent(minion: MinionClient, group: str) -> None:
    fields = ("description", "details", "enabled", "group", "id", "modified_at", "modified_by", "name", "schedule_expression", "account")

    job = minion.call("POST", f"/jobs/{group}", dict.fromkeys(fields)).json()

    assert (job["name"], job["enabled"], job["details"], job["group"]) == ("", False, None, group)


@pytest.mark.parametrize("name", EVERY_NAME)
def test_every_name_is_kept_also_one_that_no_job_of_ours_can_have(minion: MinionClient, name: str) -> None:
    assert got(minion, minion.created(name=name))["name"] == name


@pytest.mark.parametrize("description", ["", "bell\x07", "two\nlines", "x" * 20_000])
def test_every_description_is_kept(minion: MinionClient, description: str) -> None:
    assert got(minion, minion.created(description=description))["description"] == description


def test_a_name_that_no_job_of_ours_can_have_is_the_id_there(minion: MinionClient) -> None:
    job = minion.created(name="")

    assert minion.native_job(job)["name"] == job["id"]


def test_two_jobs_may_have_one_name(minion: MinionClient, group: str) -> None:
    assert minion.created(group, name="same")["id"] != minion.created(group, name="same")["id"]


def test_details_that_no_runner_knows_are_kept(minion: MinionClient) -> None:
    details = {"runner": "dummyRunner", "ticket": "INC-1"}

    assert got(minion, minion.created(details=details))["details"] == details


def test_account_group_and_id_of_a_body_count_for_nothing(minion: MinionClient, group: str) -> None:
    job = put(minion, minion.created(group), account="other", group="other", id="other")

    assert (job["account"], job["group"]) == ("spinup", group)
    assert minion.call("GET", f"/jobs/{group}").json() == [job["id"]]


def test_unknown_fields_are_dropped(minion: MinionClient) -> None:
    assert "colour" not in minion.created(colour="blue")


def test_an_update_replaces_all_that_minion_has_words_for(minion: MinionClient, group: str) -> None:
    job = minion.created(group, description="old", schedule_expression="@daily", modified_by="someone")

    answer = minion.call("PUT", f"/jobs/{group}/{job['id']}", {"name": "new"}).json()

    assert answer | {"modified_at": ""} == {
        **dict.fromkeys(("description", "modified_at", "modified_by", "schedule_expression"), ""),
        "account": "spinup", "details": None, "enabled": False, "group": group, "id": job["id"], "name": "new",
    }  # fmt: skip


def test_an_update_leaves_alone_what_minion_has_no_word_for(minion: MinionClient) -> None:
    job = minion.created()
    patched(minion, job, emails=["jo@example.com"], retries=7, timeout=30)

    put(minion, job, name="other")

    found = minion.native_job(job)
    assert (found["emails"], found["retries"]["max"], found["timeout"]) == (["jo@example.com"], 7, 30)


@pytest.mark.parametrize(("field", "value"), [("name", "Changed"), ("description", "Changed"), ("enabled", False)])
def test_what_the_native_api_has_changed_is_shown(minion: MinionClient, field: str, value: Any) -> None:
    job = minion.created(description="Some", modified_by="someone")

    changed = patched(minion, job, **{field: value})

    assert changed == job | {field: value, "modified_at": changed["modified_at"]}


@pytest.mark.parametrize(
    ("schedules", "shown"),
    [
        ([], ""),
        ([{"cron": "30 2 * * *"}], "30 2 * * *"),
        ([{"cron": "@weekly"}], "@weekly"),
        ([{"every": 90}], "@every 90s"),
        ([{"cron": "30 2 * * *", "timezone": "Europe/Paris"}], ""),
        ([{"cron": "H 2 * * *"}], ""),
        ([{"cron": "0 30 2 * * *"}], ""),
        ([{"every": 1.5}], ""),
        ([{"cron": "@daily"}, {"cron": "@weekly"}], ""),
        ([{"at": "2126-01-01T00:00:00Z"}], ""),
    ],
)
def test_a_native_schedule_is_shown_where_minion_has_words_for_it(minion: MinionClient, schedules: Any, shown: str) -> None:
    assert patched(minion, minion.created(schedule_expression="* * * ? *"), schedules=schedules)["schedule_expression"] == shown


def test_a_schedule_that_minion_has_no_words_for_stays_when_the_job_is_sent_back(minion: MinionClient) -> None:
    job = minion.created()
    shown = patched(minion, job, schedules=[{"cron": "0 30 2 * * *", "timezone": "Europe/Paris"}])

    put(minion, shown, description="other")

    assert minion.native_job(job)["schedules"] == [{"cron": "0 30 2 * * *", "timezone": "Europe/Paris"}]


def test_an_interval_goes_on_from_where_it_began_when_the_job_is_sent_back(minion: MinionClient) -> None:
    job = minion.created(schedule_expression="@every 1h30m")
    before = minion.native_job(job)["schedules"]

    put(minion, job, description="other")

    assert minion.native_job(job)["schedules"] == before


def test_a_command_of_the_native_api_stays_when_the_job_is_sent_back(minion: MinionClient) -> None:
    job = minion.created()
    shown = patched(minion, job, runner="command", runner_name="", command="echo by hand")

    put(minion, shown, description="other")

    assert minion.native_job(job)["command"] == "echo by hand"


def test_another_runner_of_the_native_api_is_shown_among_the_details(minion: MinionClient) -> None:
    job = minion.created(details={"runner": "dummyRunner", "note": "old"})

    shown = patched(minion, job, runner_name="otherRunner", details={"note": "new"})

    assert shown["details"] == {"runner": "otherRunner", "note": "new"}


def test_a_job_of_the_native_api_is_shown_when_its_id_is_one_of_minions(minion: MinionClient, group: str) -> None:
    own_id = "11e7b876-7a10-4c3e-93a7-e77eb3c68b58"
    minion.native("POST", "/jobs", {"id": own_id, "namespace": f"spinup/{group}", "name": "By hand", "command": "true"})

    shown = minion.call("GET", f"/jobs/{group}/{own_id}").json()

    assert (shown["name"], shown["details"], shown["enabled"], shown["modified_by"]) == ("By hand", None, True, "")


def test_other_jobs_of_the_account_are_neither_listed_nor_deleted(minion: MinionClient, group: str) -> None:
    other = minion.native("POST", "/jobs", {"namespace": f"spinup/{group}", "name": "Ours", "command": "true"})

    listed = minion.call("GET", f"/jobs/{group}").json()
    minion.call("DELETE", f"/jobs/{group}")

    assert (listed, minion.native("GET", f"/jobs/{other['id']}")["name"]) == ([], "Ours")


def test_to_delete_a_group_deletes_none_of_one_whose_name_begins_like_it(minion: MinionClient, group: str) -> None:
    longer = minion.created(f"{group}y")

    minion.call("DELETE", f"/jobs/{group}")

    assert minion.call("GET", f"/jobs/{group}y").json() == [longer["id"]]


def test_to_delete_a_group_that_has_no_jobs_is_done_already(minion: MinionClient, group: str) -> None:
    answer = minion.call("DELETE", f"/jobs/{group}")

    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (202, "OK", "application/json")


def test_to_delete_a_job_twice_is_as_good_as_once(minion: MinionClient, group: str) -> None:
    job = minion.created(group)

    answers = [minion.call("DELETE", f"/jobs/{group}/{job['id']}") for _ in range(2)]

    assert [(answer.status_code, answer.text) for answer in answers] == [(202, "OK")] * 2


def test_a_group_that_nobody_has_heard_of_is_an_empty_list(minion: MinionClient, group: str) -> None:
    answer = minion.call("GET", f"/jobs/{group}")

    assert (answer.status_code, answer.json()) == (200, [])


def test_an_account_lists_nothing_of_another(minion: MinionClient) -> None:
    minion.created()

    assert MinionClient(minion.server, "empty").call("GET", "/jobs").json() == []


def test_a_job_in_the_later_form_is_answered_in_it(minion: MinionClient, group: str) -> None:
    tags = [{"key": "owner", "value": "shop"}]
    job = {"name": "hello", "details": {"runner": "dummyRunner"}, "enabled": True, "schedule_expression": "@yearly"}

    answer = minion.call("POST", f"/jobs/{group}", {"job": job, "tags": tags}).json()

    assert set(answer) == {"job", "tags", "log", "next"}
    assert (answer["tags"], answer["job"]["name"], answer["next"][4:]) == (tags, "hello", "-01-01T00:00:00Z")


def test_a_job_in_the_later_form_is_got_in_it(minion: MinionClient, group: str) -> None:
    made = minion.call("POST", f"/jobs/{group}", {"job": {"name": "hello"}}).json()

    assert minion.call("GET", f"/jobs/{group}/{made['job']['id']}").json() == made


def test_a_job_that_is_written_anew_in_the_first_form_is_answered_in_that(minion: MinionClient, group: str) -> None:
    made = minion.call("POST", f"/jobs/{group}", {"job": {"name": "hello"}}).json()

    assert minion.call("PUT", f"/jobs/{group}/{made['job']['id']}", {"name": "new"}).json()["name"] == "new"


def placed(minion: MinionClient, group: str, job_id: str, **fields: Any) -> requests.Response:
    return minion.call("PUT", f"/jobs/{group}/{job_id}", fields, headers={"If-None-Match": "*"})


def test_a_job_can_be_brought_from_elsewhere_with_its_id(minion: MinionClient, group: str) -> None:
    own_id = str(uuid.uuid4())

    answer = placed(minion, group, own_id, name="moved", enabled=True)

    assert (answer.status_code, answer.json()["id"], minion.call("GET", f"/jobs/{group}").json()) == (202, own_id, [own_id])


def test_a_job_that_exists_is_not_brought_again(minion: MinionClient, group: str) -> None:
    job = minion.created(group)

    answer = placed(minion, group, job["id"], name="moved")

    assert (answer.status_code, got(minion, job)) == (409, job)


def test_an_id_that_is_none_of_minions_cannot_be_brought(minion: MinionClient, group: str) -> None:
    answer = placed(minion, group, "mine", name="moved")

    assert (answer.status_code, answer.text) == (400, "'mine' cannot be the id of a job: it must be a UUID, in small letters\n")
