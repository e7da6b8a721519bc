"""Whoever can write into a spool runs what he likes as the node, so it is nobody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coal_mine.domain.errors import Conflict
from coal_mine.node.spool.ownership import SpoolUnsafe
from coal_mine.node.spool.spool import Spool
from tests.node.workshop import is_root
from tests.support.agents import House
from tests.support.jobs import Scene


def _give_away(path: Path) -> None:
    """Only root can really do that; the others let everybody in, which is no better."""
    if is_root():
        os.chown(path, 12_345, 12_345)
    else:
        path.chmod(0o777)


_NOT_OURS = "belongs to user 12345" if is_root() else "can be written to by others"


def _directory(path: Path, mode: int) -> Path:
    """Whatever our umask says."""
    path.mkdir(parents=True)
    path.chmod(mode)
    return path


def _spool_with_a_run(parent: Path) -> Path:
    path = _directory(parent / "evil", 0o700)
    _directory(path / "runs", 0o700)
    (path / "runs" / "z").mkdir()
    (path / "id").write_text("evil")
    return path


def test_all_that_is_made_is_for_its_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        Spool(tmp_path / "above" / "nodes" / "alpha").close()
    finally:
        os.umask(old)
    made = [tmp_path.joinpath("above", *below) for below in ((), ("nodes",), ("nodes", "alpha"), ("nodes", "alpha", "runs"))]

    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 4


@pytest.mark.parametrize("place", ["..", ".", "runs"])
def test_a_spool_that_somebody_else_made_beforehand_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "nodes" / "alpha"
    Spool(path).close()
    _give_away((path / place).resolve())

    with pytest.raises(SpoolUnsafe, match=_NOT_OURS):
        Spool(path)


@pytest.mark.parametrize("place", ["..", ".", "runs"])
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path, place: str, mode: int) -> None:
    path = tmp_path / "nodes" / "alpha"
    Spool(path).close()
    (path / place).resolve().chmod(mode)

    with pytest.raises(SpoolUnsafe, match="can be written to by others"):
        Spool(path)


def test_a_spool_may_be_in_a_directory_such_as_tmp_where_all_write_and_nobody_touches_what_is_ours(tmp_path: Path) -> None:
    parent = _directory(tmp_path / "shared", 0o1777)
    Spool(parent / "alpha").close()

    assert (parent / "alpha").stat().st_mode & 0o777 == 0o700


def test_what_all_may_write_to_is_no_spool_itself_even_if_it_is_sticky(tmp_path: Path) -> None:
    with pytest.raises(SpoolUnsafe, match="can be written to by others"):
        Spool(_directory(tmp_path / "shared", 0o1777))


@pytest.mark.parametrize("link", ["nodes", "nodes/alpha", "nodes/alpha/runs"])
def test_a_symbolic_link_is_refused_although_it_leads_to_a_directory_of_ours(tmp_path: Path, link: str) -> None:
    target = _directory(tmp_path / "target", 0o700)
    (tmp_path / link).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (tmp_path / link).symlink_to(target)

    with pytest.raises(SpoolUnsafe, match="is a symbolic link"):
        Spool(tmp_path / "nodes" / "alpha")


def test_a_link_that_leads_nowhere_makes_no_directory_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "alpha").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpoolUnsafe, match="is a symbolic link"):
        Spool(tmp_path / "alpha")

    assert not (tmp_path / "elsewhere").exists()


def test_a_node_says_in_one_line_why_it_does_not_take_a_spool(scene: Scene, tmp_path: Path) -> None:
    _directory(tmp_path / "nodes" / "alpha", 0o777)
    with pytest.raises(Conflict) as refused:
        House(scene, tmp_path / "nodes")

    assert str(refused.value) == (
        f"{tmp_path}/nodes/alpha can be written to by others: others could decide what this node runs. "
        "Give [node] spool a directory of this user alone"
    )


def test_a_node_takes_over_a_spool_that_only_its_user_could_have_made(scene: Scene, tmp_path: Path) -> None:
    parent = _directory(tmp_path / "shared", 0o1777)
    before = _spool_with_a_run(parent)
    with House(scene, parent):
        assert not before.exists()


@pytest.mark.parametrize("place", [".", "runs"])
def test_a_node_takes_over_no_spool_of_somebody_else(scene: Scene, tmp_path: Path, place: str) -> None:
    parent = _directory(tmp_path / "shared", 0o1777)
    evil = _spool_with_a_run(parent)
    _give_away(evil / place)
    with House(scene, parent) as house:
        assert (evil.exists(), house.directories()) == (True, [])


def test_a_node_takes_over_nothing_through_a_link(scene: Scene, tmp_path: Path) -> None:
    parent = _directory(tmp_path / "shared", 0o1777)
    (parent / "link").symlink_to(_spool_with_a_run(_directory(tmp_path / "other", 0o700)))
    with House(scene, parent) as house:
        assert ((parent / "link").is_symlink(), house.directories()) == (True, [])
