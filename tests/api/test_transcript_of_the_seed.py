"""The session that the user's document shows, value by value."""

from __future__ import annotations

from typing import Any

from tests.api.times import seconds_between
from tests.support.server import CoalMine

GET = "/coal-mine/v1/canary/get?name=My+First+Canary"
TRIGGERED = {"recovered": False, "unpaused": False, "status": "ok"}


def test_create_two_triggers_and_get_answer_as_documented(server: CoalMine) -> None:
    created = server.get("/coal-mine/v1/canary/create?name=My+First+Canary&periodicity=3600").json()
    canary_id = created["canary"]["id"]
    short = server.get(f"/{canary_id}?comment=short+form+trigger+url").json()
    long = server.get("/coal-mine/v1/canary/trigger?slug=my-first-canary&comment=long+form+trigger+url").json()
    shown = server.get(GET).json()

    assert _without_times(created) == _documented(canary_id, ["Canary created"])
    assert short == TRIGGERED
    assert long == TRIGGERED
    history = ["Triggered (long form trigger url)", "Triggered (short form trigger url)", "Canary created"]
    assert _without_times(shown) == _documented(canary_id, history)
    assert seconds_between(shown["canary"]["history"][0][0], shown["canary"]["deadline"]) == 3600


def _documented(canary_id: str, history: list[str]) -> Any:
    return {
        "status": "ok",
        "canary": {
            "id": canary_id,
            "paused": False,
            "description": "",
            "periodicity": 3600,
            "name": "My First Canary",
            "slug": "my-first-canary",
            "emails": [],
            "history": history,
            "late": False,
        },
    }


def _without_times(answer: Any) -> Any:
    canary = {name: value for name, value in answer["canary"].items() if name != "deadline"}
    return {**answer, "canary": canary | {"history": [text for _, text in canary["history"]]}}
