"""A client of Minion: it knows the URL, the key and its account, and sends JSON."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.server import CoalMine
from tests.support.waiting import PATIENCE, until

KEY = "minions-key-4412"
ENDED = ("done", "failed", "killed", "lost", "missed", "skipped")


class MinionClient:
    def __init__(self, server: CoalMine, account: str = "spinup") -> None:
        self.server = server
        self.account = account

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> requests.Response:
        """With the key; `path` is below the account."""
        return self.bare(method, f"/{self.account}{path}", json=body, headers={"X-Auth-Token": KEY} | (headers or {}))

    def bare(self, method: str, path: str, **more: Any) -> requests.Response:
        """Without the key."""
        return requests.request(method, f"{self.server.url}/v1/minion{path}", timeout=PATIENCE, **more)

    def created(self, group: str = "space-xy", **fields: Any) -> Any:
        """A job that says hello when it is told to."""
        answer = self.call("POST", f"/jobs/{group}", {"name": "hello", "details": {"runner": "dummyRunner"}, "enabled": True} | fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def native(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of our own API."""
        answer = requests.request(
            method, f"{self.server.url}/coal-mine/v1{path}", json=body, headers={"X-Auth-Token": KEY}, timeout=PATIENCE
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    def native_job(self, job: Any) -> Any:
        return self.native("GET", f"/jobs/{self.native_id(job)}")

    def native_id(self, job: Any) -> str:
        return f"{self.account}:{job['group']}:{job['id']}"

    def runs(self, job: Any) -> list[Any]:
        """Those that were asked for."""
        found = self.native("GET", f"/jobs/{self.native_id(job)}/runs")["runs"]
        return [run for run in found if run["origin"] == "manual"]

    def ended_run(self, job: Any) -> Any:
        """The only one that was asked for."""

        def look() -> Any:
            runs = self.runs(job)
            return runs if runs and all(run["state"] in ENDED for run in runs) else None

        (run,) = until(f"the end of the run of job {job['id']}", look)
        return run

    def output(self, run: Any) -> str:
        answer = requests.get(f"{self.server.url}/coal-mine/v1/runs/{run['id']}/output", headers={"X-Auth-Token": KEY}, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.text
