"""No order is taken for given that nobody has heard and nobody will find."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from coal_mine.node.spool.directory import RunDirectory
from coal_mine.node.spool.record import Ending
from tests.node.workshop import Workshop, is_root, mounted

_ORDERS = pytest.mark.parametrize(
    ("order", "ending"), [(RunDirectory.request_kill, Ending.KILLED), (RunDirectory.request_fence, Ending.FENCED)], ids=["kill", "fence"]
)


@contextmanager
def _limit(kind: int, most: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


def _next_descriptor() -> int:
    """All below it are open."""
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    return number


def _use_up_inodes(place: Path) -> None:
    """As many as its mount allows; nothing where there was none."""
    try:
        for number in count() if is_root() else ():
            (place / f"file-{number}").touch()
    except OSError:
        pass


@_ORDERS
def test_an_order_for_which_no_file_can_be_opened_is_refused_and_may_be_given_again(
    workshop: Workshop, order: Callable[[RunDirectory], None], ending: Ending
) -> None:
    run = workshop.create("/bin/true")
    with _limit(resource.RLIMIT_NOFILE, _next_descriptor()), pytest.raises(OSError, match="Too many open files"):
        order(run)
    order(run)
    workshop.forker.start([run])

    assert workshop.result_of(run).ending is ending


def test_a_kill_whose_reason_finds_no_room_is_given_without(workshop: Workshop) -> None:
    run = workshop.create("/bin/true")
    with _limit(resource.RLIMIT_FSIZE, 3):
        run.request_kill("replaced by another run")
    workshop.forker.start([run])

    assert (workshop.result_of(run).ending, run.why_killed()) == (Ending.KILLED, "rep")


@_ORDERS
def test_a_run_that_listens_hears_an_order_for_which_there_is_no_inode(
    tmp_path: Path, order: Callable[[RunDirectory], None], ending: Ending
) -> None:
    with mounted(tmp_path / "small", "nr_inodes=60,mode=700") as place, Workshop(place / "spool") as workshop:
        run = workshop.shell("echo ready; exec sleep 600")
        workshop.line_of(run)
        _use_up_inodes(place)
        order(run)

        assert workshop.result_of(run).ending is ending


def test_an_order_without_an_inode_to_a_run_that_does_not_listen_yet_is_refused(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "nr_inodes=60,mode=700") as place, Workshop(place / "spool") as workshop:
        run = workshop.create("/bin/true")
        _use_up_inodes(place)
        if not is_root():
            run.path.chmod(0o500)
        with pytest.raises(OSError, match=r"No space left|denied"):
            run.request_kill()
