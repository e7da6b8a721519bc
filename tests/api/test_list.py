"""list: all canaries, or some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.server import API, CoalMine
from tests.support.waiting import until


@pytest.fixture
def family(server: CoalMine, name: str) -> dict[str, Any]:
    """A timely, a paused and a late canary, created in this order, with a common name."""
    timely = server.call("create", name=f"{name} timely", periodicity=3600, description="text")["canary"]
    paused = server.call("create", name=f"{name} paused", periodicity=3600, paused="yes")["canary"]
    late = server.call("create", name=f"{name} late", periodicity=0.001)["canary"]
    late = until("a late canary", lambda: _late(server, late["id"]))
    return {"timely": timely, "paused": paused, "late": late}


@pytest.fixture
def listed(server: CoalMine, family: Any, name: str) -> Callable[..., Any]:
    return lambda **parameters: server.call("list", search=name, **parameters)["canaries"]


def _late(server: CoalMine, canary_id: str) -> Any:
    canary = server.call("get", id=canary_id)["canary"]
    return canary if canary["late"] else None


def test_the_list_shows_id_and_name_in_the_order_of_creation(listed: Callable[..., Any], family: Any) -> None:
    assert listed() == [{"id": one["id"], "name": one["name"]} for one in family.values()]


def test_the_answer_begins_with_the_status(server: CoalMine) -> None:
    assert list(server.call("list")) == ["status", "canaries"]


def test_the_verbose_list_shows_what_get_shows(listed: Callable[..., Any], family: Any) -> None:
    assert listed(verbose="true") == list(family.values())


@pytest.mark.parametrize("text", ["", "no", "false", "0"])
def test_verbose_can_be_switched_off(listed: Callable[..., Any], text: str) -> None:
    assert [list(one) for one in listed(verbose=text)] == [["id", "name"]] * 3


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"paused": "yes"}, ["paused"]),
        ({"paused": "no"}, ["timely", "late"]),
        ({"paused": ""}, ["timely", "late"]),
        ({"late": "1"}, ["late"]),
        ({"late": "0"}, ["timely", "paused"]),
        ({"late": "FALSE", "paused": "False"}, ["timely"]),
        ({"late": "true", "paused": "true"}, []),
    ],
)
def test_paused_and_late_choose(listed: Callable[..., Any], family: Any, wanted: dict[str, str], found: list[str]) -> None:
    assert [one["id"] for one in listed(**wanted)] == [family[which]["id"] for which in found]


@pytest.mark.parametrize("name", ["verbose", "paused", "late"])
def test_what_is_no_boolean_is_refused(server: CoalMine, name: str) -> None:
    answer = server.get(f"{API}/list", **{name: "perhaps"})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{name} 'perhaps' is not a boolean")
