"""A run that may have begun elsewhere is ended at once, however long its command may take to end."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from coal_mine.domain.node import BEAT, LEASE
from coal_mine.domain.run import Run, RunState, abandoned, gone
from coal_mine.node.spool.record import Ending
from tests.node.workshop import Workshop, is_gone, output_of
from tests.support.agents import House
from tests.support.jobs import MINUTE, Scene
from tests.support.waiting import until

# Longer than any test waits.
_LONG = 3600.0
_DEAF = "trap '' TERM; echo ready; while :; do sleep 0.01; done"
_HEARS_AND_GOES_ON = "trap 'echo heard' TERM; echo ready; while :; do sleep 0.01; done"
# It goes on in a session of its own after its parent has gone, and says its pid.
_DAEMON = "trap '' TERM; setsid sh -c 'sh -c \"echo \\$\\$; exec sleep 600\" &'; while :; do sleep 0.01; done"


def test_a_fenced_command_that_does_not_listen_is_killed_although_it_may_take_long_to_end(each_workshop: Workshop) -> None:
    run = each_workshop.shell(_DEAF, kill_wait_seconds=_LONG)
    each_workshop.line_of(run)
    run.request_fence()
    result = each_workshop.result_of(run)

    assert (result.ending, result.signal) == (Ending.FENCED, signal.SIGKILL)


def test_a_fenced_command_is_not_asked_to_end_first(workshop: Workshop) -> None:
    run = workshop.shell(_HEARS_AND_GOES_ON, kill_wait_seconds=_LONG)
    workshop.line_of(run)
    run.request_fence()
    workshop.result_of(run)

    assert output_of(run) == b"ready\n"


def test_a_daemon_of_a_fenced_run_is_gone_with_it(each_workshop: Workshop) -> None:
    run = each_workshop.shell(_DAEMON, kill_wait_seconds=_LONG)
    each_workshop.line_of(run, "\n")
    daemon = int(output_of(run))
    was_alive = not is_gone(daemon)
    run.request_fence()
    each_workshop.result_of(run)

    assert (was_alive, is_gone(daemon)) == (True, True)


def test_a_fence_ends_the_time_that_a_kill_has_left_to_a_run(workshop: Workshop) -> None:
    run = workshop.shell(_HEARS_AND_GOES_ON, kill_wait_seconds=_LONG)
    workshop.line_of(run)
    run.request_kill()
    workshop.line_of(run, "heard\n")
    run.request_fence()
    result = workshop.result_of(run)

    assert (result.ending, result.signal) == (Ending.KILLED, signal.SIGKILL)


def test_a_run_that_was_fenced_before_it_began_never_starts(workshop: Workshop, tmp_path: Path) -> None:
    run = workshop.create("touch", str(tmp_path / "trace"))
    run.request_fence()
    workshop.forker.start([run])
    result = workshop.result_of(run)

    assert (result.ending, (tmp_path / "trace").exists()) == (Ending.FENCED, False)


def test_a_stopped_supervisor_finds_the_fence_when_it_goes_on(workshop: Workshop) -> None:
    run = workshop.shell(_DEAF, kill_wait_seconds=_LONG)
    workshop.line_of(run)
    supervisor = run.supervisor()
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGSTOP)
    run.request_fence()
    os.kill(supervisor.pid, signal.SIGCONT)

    assert workshop.result_of(run).ending is Ending.FENCED


# What the agent orders


def ready(scene: Scene, house: House, command: str, **body: Any) -> Run:
    """A run whose command has said that it listens, or is deaf."""
    run = scene.next_run(scene.job(command=command, **body))
    house.beat()
    house.claim()
    until("its first line", lambda: output_of(house.directories()[0]))
    return house.running(run)


def test_after_a_lapse_of_the_lease_what_may_have_begun_elsewhere_is_gone_at_once(scene: Scene, house: House) -> None:
    ready(scene, house, _DEAF, on_lost="rerun", kill_wait=600)
    house.lapse()
    result = until("its end", lambda: house.directories()[0].result())

    assert result.ending is Ending.FENCED


def test_after_a_lapse_of_the_lease_a_command_that_nobody_begins_anew_goes_on(scene: Scene, house: House, tmp_path: Path) -> None:
    run = ready(scene, house, f"echo ready; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done")
    house.lapse()
    (tmp_path / "go").touch()

    assert house.ended(run).state is RunState.DONE


def test_what_ended_well_while_the_store_was_away_counts_although_the_lease_has_lapsed(scene: Scene, house: House, tmp_path: Path) -> None:
    run = ready(scene, house, f"echo ready; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done", on_lost="rerun")
    (tmp_path / "go").touch()
    until("its end", lambda: house.directories()[0].result())
    house.lapse()

    assert (house.ended(run).state, scene.get(run).epoch, scene.get(run).past_attempts) == (RunState.DONE, 1, ())


def test_what_a_lapse_has_ended_is_at_once_to_be_run_again(scene: Scene, house: House) -> None:
    run = ready(scene, house, _DEAF, on_lost="rerun", kill_wait=600)
    house.lapse()
    house.until("an empty spool", lambda: not house.directories())

    assert (scene.get(run).state, [each.lost for each in scene.get(run).past_attempts]) == (RunState.QUEUED, [True])


def test_what_ended_well_after_somebody_else_had_begun_it_anew_counts_no_more(scene: Scene, house: House, tmp_path: Path) -> None:
    run = ready(scene, house, f"echo ready; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done", on_lost="rerun")
    (tmp_path / "go").touch()
    until("its end", lambda: house.directories()[0].result())
    again = scene.start(scene.write(abandoned(run, "silent", scene.now)), "beta")
    house.lapse()
    house.until("an empty spool", lambda: not house.directories())

    assert scene.get(run) == again


# A machine that is suspended stops its monotonic clock, by which leases end, and not that of the store.


def test_a_lease_lapses_while_the_machine_is_suspended(scene: Scene, house: House) -> None:
    ready(scene, house, _DEAF, on_lost="rerun", kill_wait=600)
    scene.clock.move(LEASE)
    house.beat()
    result = until("its end", lambda: house.directories()[0].result())

    assert result.ending is Ending.FENCED


def test_a_lease_outlives_a_shorter_sleep(scene: Scene, house: House, tmp_path: Path) -> None:
    run = ready(scene, house, f"echo ready; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done", on_lost="rerun")
    scene.clock.move(LEASE - BEAT)
    house.beat()
    (tmp_path / "go").touch()

    assert (house.ended(run).state, scene.get(run).epoch) == (RunState.DONE, 1)


def test_what_has_passed_to_somebody_else_while_the_agent_was_away_is_gone_at_once(scene: Scene, house: House) -> None:
    run = ready(scene, house, _DEAF, on_lost="rerun", kill_wait=600)
    scene.start(scene.write(abandoned(run, "silent", scene.now)), "beta")
    house.restart()
    house.until("an empty spool", lambda: not house.directories())

    assert scene.get(run).node == "beta"


def test_what_has_passed_to_somebody_else_is_gone_although_its_agent_has_missed_nothing(scene: Scene, house: House) -> None:
    run = ready(scene, house, _DEAF, on_lost="rerun", kill_wait=600)
    scene.start(scene.write(abandoned(run, "silent", scene.now)), "beta")
    scene.clock.move(MINUTE)
    house.until("an empty spool", lambda: not house.directories())

    assert scene.get(run).node == "beta"


def test_what_ran_on_a_node_that_was_removed_is_asked_to_end_when_it_is_back(scene: Scene, house: House, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    run = ready(scene, house, f"trap 'touch {asked}; exit' TERM; echo ready; while :; do sleep 0.01; done", kill_wait=600)
    scene.write(gone(run, "its node was removed", scene.now))
    house.lapse()
    house.until("an empty spool", lambda: not house.directories())

    assert (asked.exists(), scene.get(run).state) == (True, RunState.LOST)


def test_what_counts_no_more_and_nobody_begins_anew_is_asked_to_end_first(scene: Scene, house: House, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    run = ready(scene, house, f"trap 'touch {asked}; exit' TERM; echo ready; while :; do sleep 0.01; done", kill_wait=600)
    scene.write(gone(run, "removed", scene.now))
    house.restart()
    house.until("an empty spool", lambda: not house.directories())

    assert asked.exists()
