"""openapi.json is true: each route is in it, and whatever it allows or forbids, the server does as it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.api.job_calls import ROOT, JobCalls
from tests.security.sizes import LONG, SECONDS
from tests.support.server import CoalMine

SETTINGS = Path(__file__).parents[2] / "schemathesis.toml"
KEY = "right-key-2843"
# A minute or more each in `make security`; there all that the schema forbids is tried systematically, too.
SIZE = ["--max-time", f"{SECONDS:.0f}", "-n", "200"] if LONG else ["--phases", "fuzzing,stateful", "-n", "2", "--seed", "1"]


@pytest.fixture(scope="module")
def nodeless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """What arbitrary jobs would run, nobody runs here."""
    with CoalMine(tmp_path_factory.mktemp("nodeless"), ini=f"[wsgi]\nhost = 127.0.0.1\nauth_key = {KEY}\n") as running:
        yield running


@pytest.fixture(scope="module")
def document(nodeless: CoalMine) -> Any:
    return nodeless.get(f"{ROOT}/openapi.json").json()


def test_each_described_call_exists(nodeless: CoalMine, document: Any) -> None:
    calls = [(method, path) for path, methods in document["paths"].items() for method in methods]
    answers = {call: requests.request(call[0].upper(), nodeless.url + call[1].replace("{", "").replace("}", "")) for call in calls}

    # Without the key, all but the description itself.
    assert {call for call, answer in answers.items() if answer.status_code != 401} == {("get", f"{ROOT}/openapi.json")}


def test_a_job_has_exactly_the_described_fields(nodeless: CoalMine, document: Any) -> None:
    job = JobCalls(nodeless, KEY).created()

    assert set(document["components"]["schemas"]["Job"]["properties"]) == set(job)


def test_a_run_has_exactly_the_described_fields(nodeless: CoalMine, document: Any) -> None:
    calls = JobCalls(nodeless, KEY)
    run = calls.call("POST", f"/jobs/{calls.created()['id']}/run").json()

    assert set(document["components"]["schemas"]["StartedRun"]["properties"]) == set(run)


def test_whatever_is_sent_the_answers_are_as_described(nodeless: CoalMine, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS), "run", f"{nodeless.url}{ROOT}/openapi.json"]
    done = subprocess.run(
        [*program, "-H", f"Authorization: Bearer {KEY}", "--no-color", *SIZE], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2_000:]
