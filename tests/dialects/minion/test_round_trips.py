"""Arbitrary jobs: what is taken is shown as it was written, however odd; what is not taken is refused in words.

And whatever a job is, it stays that when a client sends it back as it was shown.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coal_mine.domain.definition import definition_as_json, definition_from, merged
from coal_mine.domain.errors import Invalid
from coal_mine.domain.job import Definition, Job
from coal_mine.web.dialects.minion.translation import shown
from coal_mine.web.dialects.minion.written import written
from tests.dialects.minion.accounts import may_use
from tests.dialects.minion.client import KEY, MinionClient
from tests.support.edges import NOW

OWN_ID = "7cf7433f-f6c2-496e-8fe9-ed4776d130c1"

SHOWN = ("description", "name", "modified_by", "schedule_expression", "enabled", "details")
word = st.sampled_from(
    ["dummyRunner", "otherRunner", "* * * ? *", "@every 90s", "@daily", "2020-02-27T16:22:09Z", "\x00", "\u2028", "-", ""]
)
text = st.text(max_size=20) | word
scalar = st.none() | st.booleans() | st.integers() | st.floats() | text
value = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=6)
details = st.dictionaries(text | st.just("runner"), text, max_size=3)
odd_job = st.dictionaries(st.sampled_from([*SHOWN, "account", "group", "id", "modified_at", "job", "tags", "other"]), value, max_size=5)
job = st.fixed_dictionaries(
    {"name": text},
    optional={"description": text, "modified_by": text, "enabled": st.booleans(), "details": details, "schedule_expression": word},
)


SCHEDULES = [
    [], [{"cron": "* * * * *"}], [{"cron": "@daily"}], [{"cron": "H 1 * * *"}], [{"cron": "0 0 1 * * *"}], [{"cron": "0 0 * * 7"}],
    [{"cron": "0 0 * * *", "timezone": "Europe/Paris"}], [{"every": 90}], [{"every": 0.5 + 1}], [{"at": "2126-01-01T00:00:00Z"}],
    [{"cron": "@daily"}, {"every": 60}], [{"fields": {"minute": "5"}}],
]  # fmt: skip
RUNNERS: list[dict[str, Any]] = [
    {"runner": "dummy", "runner_name": "one"}, {"runner": "dummy", "runner_name": "two"}, {"runner": "dummy", "runner_name": "three"},
    {"runner": "dummy", "command": "hello"}, {"command": "true"}, {"script": "exit 1", "command": ["a"]},
    {"runner": "dummy", "runner_name": ""},
]  # fmt: skip
native_job = st.builds(
    lambda runner, fields: {**fields, **runner},
    st.sampled_from(RUNNERS),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["A job", OWN_ID, "two words"])},
        optional={
            "description": st.sampled_from(["", "Some", "two\nlines"]),
            "enabled": st.booleans(),
            "schedules": st.sampled_from(SCHEDULES),
            "details": st.dictionaries(st.sampled_from(["a", "b", "runner"]), st.sampled_from(["", "x"]), max_size=2),
            "emails": st.just(["jo@example.com"]),
            "retries": st.integers(0, 5),
        },
    ),
)


def job_of(definition: Definition) -> Job:
    return Job(
        id=f"spinup:space:{OWN_ID}", definition=definition, canary_id="aaaaaaaa", version=1, created_at=NOW, changed_at=NOW, next_at=None
    )


def said(definition: Definition) -> dict[str, Any]:
    return {name: value for name, value in definition_as_json(definition).items() if name != "given"}


def sent_back(before: Job) -> Definition:
    changes = may_use("one").changes(before, written(shown(before)), NOW + timedelta(hours=1))
    return definition_from(merged(before.definition, changes), job_id=before.id, now=NOW + timedelta(hours=1))


def posted(minion: MinionClient, body: Any) -> requests.Response:
    return minion.bare("POST", "/spinup/jobs/space-odd", data=json.dumps(body), headers={"X-Auth-Token": KEY})


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(body=job)
def test_what_is_taken_is_shown_as_it_was_written(minion: MinionClient, body: dict[str, Any]) -> None:
    answer = posted(minion, body)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        shown = minion.call("GET", f"/jobs/space-odd/{answer.json()['id']}").json()

        assert {name: shown[name] for name in body} == body
        assert shown == answer.json()


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(body=value | odd_job)
def test_what_is_no_job_is_refused_in_words(minion: MinionClient, body: Any) -> None:
    answer = posted(minion, body)

    assert answer.status_code in (200, 400), answer.text
    assert answer.text.strip()


@settings(deadline=None)
@given(native=native_job, kept=st.none() | job | odd_job)
def test_a_job_that_is_sent_back_as_it_was_shown_stays_what_it_is(native: dict[str, Any], kept: Any) -> None:
    given_by_minion = (
        {} if kept is None else {"given": {"minion": json.loads(json.dumps(kept).replace("NaN", "0").replace("Infinity", "0"))}}
    )
    before = definition_from(native | given_by_minion, job_id=OWN_ID, now=NOW)

    after = sent_back(job_of(before))

    assert said(after) == said(before)
    assert shown(job_of(after)) == shown(job_of(before))


@settings(deadline=None)
@given(native=native_job, body=job)
def test_what_a_client_writes_is_shown_whatever_the_job_was(native: dict[str, Any], body: dict[str, Any]) -> None:
    before = job_of(definition_from(native, job_id=OWN_ID, now=NOW))
    try:
        changes = may_use("one").changes(before, written(body), NOW)
        after = definition_from(merged(before.definition, changes), job_id=before.id, now=NOW)
    except Invalid:
        return

    found = shown(job_of(after))

    assert {name: found[name] for name in body} == body
