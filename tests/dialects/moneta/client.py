"""Requests as Moneta's clients send them."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE, until

# As its web client says it.
JSON = "application/json;charset=UTF-8"


class Moneta:
    def __init__(self, server: CoalMine, key: str) -> None:
        self.server = server
        self.key = key

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any) -> requests.Response:
        """With the key as a browser sends it; a body is sent as JSON."""
        sent = {} if body is None else {"data": json.dumps(body), "headers": {"Content-Type": JSON}}
        given = {**sent.pop("headers", {}), **(headers or {})}
        return requests.request(
            method, self.server.url + path, headers=given, params=query, auth=("somebody", self.key), timeout=PATIENCE, **sent
        )  # fmt: skip

    def joined(self) -> Moneta:
        """When its node is there: a server answers before."""
        until("the node", lambda: self.get("/status")["cluster_joined"])
        return self

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def created(self, **task: Any) -> str:
        """The id of a task that nobody runs unless told to."""
        answer = self.call("POST", "/tasks", {"name": "A task", "command": "true"} | task)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def error(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """Status and text of what must be an error with a text."""
        answer = self.call(method, path, body, **more)
        assert set(answer.json()) == {"error", "message"}
        assert answer.json()["error"] is True
        return answer.status_code, answer.json()["message"]

    def native(self, method: str, path: str, body: Any = None) -> Any:
        """The native API's answer."""
        answer = requests.request(
            method, f"{self.server.url}/coal-mine/v1{path}", json=body, headers={"X-Auth-Token": self.key}, timeout=PATIENCE
        )  # fmt: skip
        assert answer.ok, answer.text
        return answer.json()
