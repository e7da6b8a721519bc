"""What the README shows as typed, typed into the real programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cli.command import Cmcli
from tests.docs.documents import blocks
from tests.support.server import CoalMine

SHOWN_ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalMine]:
    """A server of its own: the session starts with no canaries."""
    with CoalMine(tmp_path_factory.mktemp("readme")) as running:
        yield running


def session() -> list[tuple[str, str]]:
    """The commands behind `$ ` and what they are shown to print, in order."""
    text = "\n".join(block for block in blocks() if block.startswith("$ ")) + "\n"
    return [(command, answer) for command, answer in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)]


def curl(command: str, server: CoalMine) -> str:
    """Enough of curl for the README: a URL and -d."""
    program, *arguments = shlex.split(command)
    assert program == "curl"

    fields = [arguments[place + 1].partition("=") for place, argument in enumerate(arguments) if argument == "-d"]
    url = arguments[-1].replace(SHOWN_ADDRESS, server.url)
    if fields:
        return requests.post(url, data=[(name, value) for name, _, value in fields], timeout=60).text
    return requests.get(url, timeout=60).text


def ids(text: str) -> list[str]:
    return re.findall(r'(?<="id": ")[a-z]{8}', text)


def without_times(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)


def test_the_session_runs_as_shown_apart_from_ids_and_times(server: CoalMine) -> None:
    real_ids: dict[str, str] = {}
    for command, shown in session():
        for shown_id, real_id in real_ids.items():
            command, shown = command.replace(shown_id, real_id), shown.replace(shown_id, real_id)
        answer = curl(command, server)
        for shown_id, real_id in zip(ids(shown), ids(answer), strict=True):
            real_ids[shown_id] = real_id
            shown = shown.replace(shown_id, real_id)

        assert without_times(answer) == without_times(shown), command


def test_the_session_shows_all_that_a_newcomer_does_first() -> None:
    commands = " ".join(command for command, _ in session())

    assert all(part in commands for part in ("create?", "/fbkvlsby?", "trigger?", "get?", "list?", "schedule="))


def test_the_cmcli_commands_work_in_the_order_shown(server: CoalMine, tmp_path: Path) -> None:
    cmcli = Cmcli(tmp_path, COAL_MINE_HOST=server.url)
    block = next(block for block in blocks() if block.startswith("cmcli create"))
    failed = []
    for line in block.replace("$((60*60*25))", "90000").splitlines():
        outcome = cmcli(*shlex.split(line)[1:])
        if outcome.status or outcome.err:
            failed.append((line, outcome))

    assert failed == []


def test_the_configure_command_writes_the_settings_file(tmp_path: Path) -> None:
    cmcli = Cmcli(tmp_path)
    line = next(block for block in blocks() if block.startswith("cmcli configure"))

    assert cmcli(*shlex.split(line)[1:]).status == 0
    assert "coal-mine-server" in cmcli.file.read_text()


def test_the_windows_that_are_explained_are_accepted(server: CoalMine) -> None:
    text = next(block for block in blocks() if "sat,sun" in block)

    assert server.call("create", name="Explained Windows", periodicity=text)["canary"]["periodicity"] == text
