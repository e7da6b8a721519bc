from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with Workshop(tmp_path / "spool") as running:
        yield running


@pytest.fixture(params=[True, False], ids=["cgroups", "no cgroups"])
def each_workshop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workshop]:
    """With cgroups where the system has them, and without."""
    with Workshop(tmp_path / "spool", cgroups=request.param) as running:
        yield running
