"""Texts with places for what is known only when a run starts."""

from __future__ import annotations

import pytest

from coal_mine.domain.errors import Invalid
from coal_mine.domain.template import filled

VALUES = {"Account": "acme", "InstanceID": "i-1"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello, {{.Account}}!", "Hello, acme!"),
        ("{{ .Account }}/{{.InstanceID}}/{{.Account}}", "acme/i-1/acme"),
        ("nothing at all", "nothing at all"),
        ("}} { {.Account}", "}} { {.Account}"),
    ],
)
def test_each_place_gets_its_value(template: str, text: str) -> None:
    assert filled(template, VALUES) == text


def test_a_value_that_looks_like_a_place_stays_as_it_is() -> None:
    assert filled("{{.Account}}", {"Account": "{{.InstanceID}}", "InstanceID": "i-1"}) == "{{.InstanceID}}"


@pytest.mark.parametrize("place", ["{{.Acount}}", "{{Account}}", "{{.Account | upper}}", "{{}}", "{{.Account", "{{.Account\n", "{{"])
def test_a_place_for_something_else_is_refused(place: str) -> None:
    with pytest.raises(Invalid) as refusal:
        filled(f"Hello, {place}", VALUES)

    assert str(refusal.value) == f"{place!r} is not known; there is {{{{.Account}}}} and {{{{.InstanceID}}}}"


def test_a_place_for_which_there_is_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^\{\{\.Account\}\} is empty$"):
        filled("Hello, {{.Account}}!", {"Account": ""})
