"""Jobs that ignore TERM, leave children behind, or write what nobody would expect, while their node's agent dies now and then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.jobs.facts import ALIVE, END, START
from tests.faults.jobs.plant import Plant, StampingMailServer
from tests.faults.processes import process_of
from tests.faults.scene import is_long
from tests.stores.conftest import database_of
from tests.support.mongod import Mongod
from tests.support.nodes import NodeProcess
from tests.support.waiting import until

MUCH = 1_000_000_000 if is_long() else 50_000_000
# So much of the beginning of a long output is kept, and at least so much of its end.
KEPT = 1_000_000
ODD = b'2026-11-22T18:00:00Z no timestamp\n\0\0\xff\xfe\xc3(\n\r\x1b[31mred\n{"stream": 1}\nlast line without an end'


@pytest.fixture(scope="module")
def node(replica_set: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Plant, NodeProcess]]:
    """With a background, for all tests of this file."""
    place = tmp_path_factory.mktemp("odd")
    with database_of(replica_set) as database, StampingMailServer() as mail, Plant(place, replica_set, database, mail) as plant:
        plant.background()
        found = plant.node("one")
        plant.wait_for_node("one")
        yield plant, found


def test_a_job_that_ignores_term_is_killed_after_its_wait(node: tuple[Plant, NodeProcess]) -> None:
    plant, _ = node
    stubborn = f"trap '' TERM; {START}; while true; do {ALIVE}; sleep 0.05; done"
    (run,) = plant.run(plant.job("stubborn", stubborn, kill_wait=0.3))
    until("the start", lambda: [note for note in plant.notes() if note.run == run])
    plant.ask(f"/runs/{run}/kill", "POST")
    plant.wait_for_end([run])
    noted = len(plant.notes())
    (other,) = plant.run(plant.job("after", f"{START}; {END}"))
    plant.wait_for_end([other])

    assert plant.record(run).state == "killed"
    assert [note for note in plant.notes()[noted:] if note.run == run] == []
    assert plant.judge().faults == []


def test_the_children_that_a_job_has_left_are_killed_with_it(node: tuple[Plant, NodeProcess], tmp_path: Path) -> None:
    plant, agent = node
    family = f"{START}; (setsid sleep 300 & echo $! > {tmp_path}/child) ; (sleep 301 & echo $! > {tmp_path}/other); sleep 302"
    (run,) = plant.run(plant.job("family", family, kill_wait=0.3))
    until("the children", lambda: all((tmp_path / name).exists() and (tmp_path / name).read_text() for name in ("child", "other")))
    children = [process_of(int((tmp_path / name).read_text())) for name in ("child", "other")]
    agent.kill()
    agent.start()
    plant.ask(f"/runs/{run}/kill", "POST")
    plant.wait_for_end([run])

    assert plant.record(run).state == "killed"
    assert all(child and not child.lives for child in children)


def test_whatever_bytes_a_job_writes_are_shown_as_they_were(node: tuple[Plant, NodeProcess], tmp_path: Path) -> None:
    plant, agent = node
    (tmp_path / "odd").write_bytes(ODD)
    (run,) = plant.run(plant.job("odd", f"{START}; cat {tmp_path}/odd; sleep 1; cat {tmp_path}/odd >&2; {END}; exit 3"))
    until("some output", lambda: plant.ask(f"/runs/{run}/output"))
    agent.kill()
    agent.start()
    plant.wait_for_end([run])

    assert plant.record(run).state == "failed"
    assert plant.ask(f"/runs/{run}/output") == 2 * ODD
    assert plant.ask(f"/runs/{run}/output", stream="stderr") == ODD
    assert plant.judge().faults == []


def test_of_very_much_output_the_beginning_and_the_end_are_kept(node: tuple[Plant, NodeProcess]) -> None:
    """The agent dies in the middle of it."""
    plant, agent = node
    (run,) = plant.run(plant.job("much", f"{START}; echo begin; yes 0123456789abcde | head -c {MUCH}; echo end; {END}"))
    until("some output", lambda: plant.ask(f"/runs/{run}/output", limit=1))
    agent.kill()
    agent.start()
    plant.wait_for_end([run], seconds=300)
    shown = plant.ask(f"/runs/{run}")
    size = shown["stdout_bytes"]
    head = plant.ask(f"/runs/{run}/output", limit=KEPT)
    tail = plant.ask(f"/runs/{run}/output", offset=size - KEPT)

    assert (shown["state"], size) == ("done", MUCH + len("begin\nend\n"))
    assert head == (b"begin\n" + b"0123456789abcde\n" * (KEPT // 16))[:KEPT]
    assert tail.endswith(b"0123456789abcde\nend\n")
    assert len(tail) == KEPT
    assert plant.judge().faults == []
