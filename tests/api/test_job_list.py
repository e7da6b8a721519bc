"""Lists of jobs: filters and pages."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.api.job_calls import JobCalls


@pytest.fixture(scope="module")
def group(jobs: JobCalls) -> str:
    """A namespace of these tests alone, with three jobs."""
    group = f"list-{uuid.uuid4().hex[:8]}"
    jobs.created(id="a", namespace=f"{group}/one", tags=["red", "blue"], name="Alpha")
    jobs.created(id="b", namespace=f"{group}/one", pools=["moon"], enabled=False)
    jobs.created(id="c", namespace=group, tags=["red"])
    return group


def found(jobs: JobCalls, group: str, **query: Any) -> list[str]:
    listed = jobs.call("GET", "/jobs", **{"namespace": group} | query).json()
    assert listed["total"] == len(listed["jobs"])
    return [job["id"].rpartition(":")[2] for job in listed["jobs"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["c", "a", "b"]),
        ({"tag": "red"}, ["c", "a"]),
        ({"pool": "moon"}, ["b"]),
        ({"enabled": "false"}, ["b"]),
        ({"enabled": "true"}, ["c", "a"]),
        ({"name": "Alpha"}, ["a"]),
        ({"tag": "red", "name": "Alpha"}, ["a"]),
        ({"tag": "r"}, []),
    ],
)
def test_all_filters_must_match(jobs: JobCalls, group: str, query: dict[str, str], expected: list[str]) -> None:
    assert sorted(found(jobs, group, **query)) == sorted(expected)


def test_a_namespace_contains_those_below_it(jobs: JobCalls, group: str) -> None:
    assert sorted(found(jobs, f"{group}/one")) == ["a", "b"]


def test_a_namespace_is_no_prefix_of_letters(jobs: JobCalls, group: str) -> None:
    assert found(jobs, group[:-1]) == []


def test_pages_follow_each_other_and_end(jobs: JobCalls, group: str) -> None:
    first = jobs.call("GET", "/jobs", namespace=group, limit=2).json()
    second = jobs.call("GET", "/jobs", namespace=group, limit=2, after=first["next"]).json()

    assert len({job["id"] for job in first["jobs"] + second["jobs"]}) == 3
    assert (first["total"], second["total"], second["next"]) == (3, 3, None)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"limit": "0"}, "limit '0' is not a whole number from 1 to 1000"),
        ({"enabled": "perhaps"}, "enabled 'perhaps' is not a boolean; give true, yes, 1 or false, no, 0"),
        ({"namespace": "a/b/c"}, "namespace 'a/b/c' has 3 levels; at most 2 are allowed, such as 'group/project'"),
        ({"nonsense": "1"}, "unknown parameter 'nonsense'; known are namespace, tag, pool, enabled, name, limit, after"),
    ],
)
def test_a_wrong_parameter_is_named(jobs: JobCalls, query: dict[str, str], error: str) -> None:
    assert jobs.error("GET", "/jobs", **query) == (400, error)
