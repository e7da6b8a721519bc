"""create: a new canary."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.times import seconds_between
from tests.support.server import API, CoalMine


def test_the_answer_has_the_documented_fields_in_their_order(canary: Any) -> None:
    fields = ["id", "name", "slug", "periodicity", "description", "emails", "paused", "history", "late", "deadline"]

    assert list(canary) == fields


def test_everything_optional_is_empty_or_false(canary: Any) -> None:
    assert (canary["description"], canary["emails"], canary["paused"], canary["late"]) == ("", [], False, False)


def test_the_id_has_eight_small_letters(canary: Any) -> None:
    assert re.fullmatch("[a-z]{8}", canary["id"])


def test_the_history_begins_with_the_creation(canary: Any) -> None:
    assert [text for _, text in canary["history"]] == ["Canary created"]


def test_the_deadline_is_the_creation_plus_the_periodicity(canary: Any) -> None:
    assert seconds_between(canary["history"][0][0], canary["deadline"]) == 3600


def test_the_answer_is_the_same_as_that_of_get(server: CoalMine, canary: Any) -> None:
    assert server.call("get", id=canary["id"])["canary"] == canary


def test_description_and_addresses_are_kept(server: CoalMine, name: str) -> None:
    addresses = ["b@example.test", "a@example.test"]
    canary = server.call("create", name=name, periodicity=60, description="every minute\nat least", email=addresses)["canary"]

    assert (canary["description"], canary["emails"]) == ("every minute\nat least", addresses)


def test_a_repeated_address_is_kept_once(server: CoalMine, name: str) -> None:
    canary = server.call("create", name=name, periodicity=60, email=["a@example.test", "a@example.test"])["canary"]

    assert canary["emails"] == ["a@example.test"]


@pytest.mark.parametrize("text", ["true", "yes", "1", "TRUE", "Yes", "tRuE"])
def test_a_canary_created_paused_has_no_deadline(server: CoalMine, name: str, text: str) -> None:
    canary = server.call("create", name=name, periodicity=60, paused=text)["canary"]

    assert canary["paused"] is True
    assert "deadline" not in canary


@pytest.mark.parametrize("text", ["false", "no", "0", "", "FALSE", "No"])
def test_every_spelling_of_false_creates_a_running_canary(server: CoalMine, name: str, text: str) -> None:
    canary = server.call("create", name=name, periodicity=60, paused=text)["canary"]

    assert canary["paused"] is False


@pytest.mark.parametrize("text", ["maybe", "2", "on", " true", "true false"])
def test_another_word_is_no_boolean(server: CoalMine, name: str, text: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=60, paused=text)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"paused {text!r} is not a boolean")


def test_a_second_canary_with_the_same_slug_is_a_conflict(server: CoalMine, canary: Any) -> None:
    answer = server.get(f"{API}/create", name=canary["name"].upper().replace(" ", "_"), periodicity=60)

    assert answer.status_code == 409
    assert canary["slug"] in answer.json()["error"]


def test_a_conflict_leaves_the_first_canary_as_it_was(server: CoalMine, canary: Any) -> None:
    server.call("create", name=canary["name"], periodicity=60)

    assert server.call("get", id=canary["id"])["canary"] == canary


@pytest.mark.parametrize(
    ("parameters", "missing"),
    [
        ({}, "name"),
        ({"periodicity": "60"}, "name"),
        ({"name": "Without periodicity"}, "periodicity"),
        ({"name": "G", "grace": "5"}, "schedule"),
    ],
)
def test_what_is_missing_is_named(server: CoalMine, parameters: dict[str, str], missing: str) -> None:
    answer = server.get(f"{API}/create", **parameters)

    assert answer.status_code == 400
    assert missing in answer.json()["error"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("_a__b--c _d", "-a-b-c-d"),
        ("Caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{SNOWMAN}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}-"),
        ("ID: 1/2", "id-12"),
        ("P0.5", "p05"),
    ],
)
def test_the_slug_follows_from_the_name(server: CoalMine, name: str, slug: str) -> None:
    canary = server.call("create", name=name, periodicity=60)["canary"]

    assert (canary["name"], canary["slug"]) == (name, slug)


@pytest.mark.parametrize("name", ["", "!!!", "---", " ", "\N{SNOWMAN}"])
def test_a_name_without_letters_and_digits_is_refused(server: CoalMine, name: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=60)

    assert (answer.status_code, answer.json()["error"]) == (400, "name must contain at least one letter or digit")


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b, c@d", "a b@c", "a@b@c", "<a@b>", "Jo <a@b>", "\N{LATIN SMALL LETTER E WITH ACUTE}@b"]
)
def test_what_is_no_address_is_refused(server: CoalMine, name: str, address: str) -> None:
    answer = server.get(f"{API}/create", name=name, periodicity=60, email=["good@example.test", address])

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("email")


def test_a_hyphen_as_the_only_address_means_none(server: CoalMine, name: str) -> None:
    assert server.call("create", name=name, periodicity=60, email="-")["canary"]["emails"] == []
