"""A node that ends cleanly while its runs go on. Nobody hears of the node; if it does not come back, people hear of its runs."""

from __future__ import annotations

from pathlib import Path

from coal_mine.background.node_watch import NodeWatch
from coal_mine.domain.node import LEASE, LEASE_MARGIN, Node
from coal_mine.domain.run import Run, RunState
from tests.support.agents import House
from tests.support.jobs import Scene


def running(scene: Scene, house: House, command: str = "sleep 600") -> Run:
    run = scene.next_run(scene.job(command=command))
    house.beat()
    house.claim()
    return house.running(run)


def ended(scene: Scene, house: House) -> Node:
    house.end()
    return scene.store.nodes.get(house.name)


def test_a_node_that_runs_nothing_gives_its_lease_up_when_it_ends(scene: Scene, house: House) -> None:
    found = ended(scene, house)

    assert (found.ended, found.is_alive(scene.now)) == (True, False)


def test_a_node_whose_runs_go_on_keeps_its_lease_when_it_ends(scene: Scene, house: House) -> None:
    running(scene, house)
    found = ended(scene, house)

    assert (found.ended, found.is_alive(scene.now)) == (True, True)


def test_operators_do_not_hear_of_its_end_however_long_it_is_away(scene: Scene, house: House) -> None:
    running(scene, house)
    house.end()
    NodeWatch(scene.store, ("ops@example.com",), lambda: None).look(scene.clock.move(LEASE + LEASE_MARGIN))

    assert scene.store.outbox.deliveries(limit=10) == []


def test_people_hear_of_its_runs_if_it_does_not_come_back(scene: Scene, house: House) -> None:
    run = running(scene, house)
    house.end()
    scene.clock.move(LEASE + LEASE_MARGIN)
    scene.sweep()

    assert (scene.get(run).state, scene.alerts) == (RunState.UNREACHABLE, ["LOST"])


def test_what_went_on_meanwhile_counts_when_it_is_back(scene: Scene, house: House, tmp_path: Path) -> None:
    run = running(scene, house, f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done")
    house.end()
    house.beat()
    (tmp_path / "go").touch()

    assert (house.ended(run).state, scene.store.nodes.get(house.name).ended) == (RunState.DONE, False)
