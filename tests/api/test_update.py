"""update: other values for a canary."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.times import seconds_between
from tests.support.server import API, CoalMine


@pytest.mark.parametrize("by", ["id", "slug"])
def test_the_canary_is_named_by_id_or_slug(server: CoalMine, canary: Any, by: str) -> None:
    updated = server.call("update", **{by: canary[by]}, description="new")["canary"]

    assert updated == canary | {"description": "new"}


def test_the_answer_is_the_same_as_that_of_get(server: CoalMine, canary: Any) -> None:
    updated = server.call("update", id=canary["id"], periodicity=60)

    assert updated == server.call("get", id=canary["id"])


def test_a_new_name_changes_the_slug(server: CoalMine, canary: Any, name: str) -> None:
    updated = server.call("update", id=canary["id"], name=f"New {name}")["canary"]

    assert (updated["id"], updated["name"], updated["slug"]) == (canary["id"], f"New {name}", "new-" + canary["slug"])


def test_a_name_may_change_within_its_slug(server: CoalMine, canary: Any) -> None:
    updated = server.call("update", id=canary["id"], name=canary["name"].upper())["canary"]

    assert (updated["name"], updated["slug"]) == (canary["name"].upper(), canary["slug"])


def test_a_name_that_another_canary_has_is_a_conflict(server: CoalMine, canary: Any, name: str) -> None:
    other = server.call("create", name=f"Other {name}", periodicity=60)["canary"]
    answer = server.get(f"{API}/update", id=other["id"], name=canary["name"])

    assert answer.status_code == 409
    assert server.call("get", id=other["id"])["canary"] == other


def test_a_name_alone_does_not_say_which_canary(server: CoalMine, canary: Any) -> None:
    assert server.get(f"{API}/update", name=canary["name"]).status_code == 400


def test_without_a_new_value_the_call_is_refused(server: CoalMine, canary: Any) -> None:
    answer = server.get(f"{API}/update", id=canary["id"])

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("nothing to update")


def test_new_addresses_replace_the_old_ones(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, email=["a@example.test", "b@example.test"])["canary"]
    updated = server.call("update", id=canary["id"], email="c@example.test")["canary"]

    assert updated["emails"] == ["c@example.test"]


def test_a_hyphen_clears_the_addresses(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, email="a@example.test")["canary"]

    assert server.call("update", id=canary["id"], email="-")["canary"]["emails"] == []


def test_a_hyphen_beside_addresses_is_refused(server: CoalMine, canary: Any) -> None:
    assert server.get(f"{API}/update", id=canary["id"], email=["-", "a@example.test"]).status_code == 400


def test_what_is_not_given_stays(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, email="a@example.test", description="text")["canary"]
    updated = server.call("update", id=canary["id"], periodicity=120)["canary"]

    assert (updated["emails"], updated["description"], updated["name"]) == (["a@example.test"], "text", name)


def test_an_empty_description_clears_it(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, description="text")["canary"]

    assert server.call("update", id=canary["id"], description="")["canary"]["description"] == ""


def test_a_new_periodicity_counts_from_the_newest_event(server: CoalMine, canary: Any) -> None:
    server.get(f"/{canary['id']}")
    updated = server.call("update", id=canary["id"], periodicity=7200)["canary"]

    assert seconds_between(updated["history"][0][0], updated["deadline"]) == 7200


def test_a_periodicity_that_is_already_over_makes_late_and_a_longer_one_timely(server: CoalMine, canary: Any) -> None:
    late = server.call("update", id=canary["id"], periodicity=0.001)["canary"]
    timely = server.call("update", id=canary["id"], periodicity=3600)["canary"]

    assert (late["late"], timely["late"]) == (True, False)


def test_a_paused_canary_keeps_its_new_periodicity_for_later(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, paused=1)["canary"]
    updated = server.call("update", id=canary["id"], periodicity=0.001)["canary"]

    assert (updated["periodicity"], updated["late"], "deadline" in updated) == (0.001, False, False)


def test_an_update_leaves_the_history_alone(server: CoalMine, canary: Any) -> None:
    updated = server.call("update", id=canary["id"], periodicity=60, description="x", email="a@example.test")["canary"]

    assert updated["history"] == canary["history"]


@pytest.mark.parametrize(
    "wrong", [{"periodicity": "0"}, {"email": "nobody"}, {"name": "!"}, {"description": "a\0b"}, {"schedule": ""}, {"timezone": "Mars"}]
)
def test_one_wrong_value_changes_nothing(server: CoalMine, canary: Any, wrong: dict[str, str]) -> None:
    right = {"description": "new", "email": "a@example.test", "schedule": "0 * * * *"}
    answer = server.get(f"{API}/update", id=canary["id"], **{**right, **wrong})

    assert answer.status_code == 400
    assert server.call("get", id=canary["id"])["canary"] == canary
