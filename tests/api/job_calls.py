"""Calls of the native API of jobs, with the key that the server made for itself."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE, until

ROOT = "/coal-mine/v1"
ENDED = ("done", "failed", "killed", "lost", "missed", "skipped")


class JobCalls:
    def __init__(self, server: CoalMine, key: str = "") -> None:
        self.server = server
        self.key = key or (server.directory / "state" / "coal-mine" / "key").read_text().strip()

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any) -> requests.Response:
        """With the key; a body is sent as JSON."""
        given = {"X-Auth-Token": self.key} | (headers or {})
        return requests.request(method, self.server.url + ROOT + path, json=body, headers=given, params=query, timeout=PATIENCE)

    def created(self, **fields: Any) -> Any:
        """A job that nobody runs unless told to."""
        answer = self.call("POST", "/jobs", {"name": "A job", "command": "true"} | fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def run(self, job: Any, **body: Any) -> Any:
        """Run the job now; what became of it."""
        answer = self.call("POST", f"/jobs/{job['id']}/run", body)
        assert answer.status_code == 202, answer.text
        return self.ended(answer.json()["id"])

    def ended(self, run_id: str) -> Any:
        return self.reached(run_id, *ENDED)

    def reached(self, run_id: str, *states: str) -> Any:
        def look() -> Any:
            run = self.call("GET", f"/runs/{run_id}").json()
            return run if run["state"] in states else None

        return until(f"run {run_id} to be {' or '.join(states)}", look)

    def error(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """Status and text of what must be an error in the documented form."""
        answer = self.call(method, path, body, **more)
        assert list(answer.json()) == ["status", "error"]
        return answer.status_code, answer.json()["error"]
