from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.workshop import Workshop
from tests.support.agents import House
from tests.support.jobs import Scene, scene_in


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "spool") as running:
        yield running


@pytest.fixture(params=[True, False], ids=["cgroups", "no cgroups"])
def each_workshop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workshop]:
    """With cgroups where the system has them, and without."""
    with Workshop(tmp_path / "spool", cgroups=request.param) as running:
        yield running


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as one:
        yield one


@pytest.fixture
def house(scene: Scene, tmp_path: Path) -> Iterator[House]:
    with House(scene, tmp_path / "nodes") as one:
        yield one
