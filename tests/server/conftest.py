"""What the tests of the server share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.world import World


@pytest.fixture(scope="session")
def _one_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world") / "workspace")
    yield world
    world.close()


@pytest.fixture
def world(_one_world: World) -> World:
    """An empty workspace behind its real app; built once, because that is what costs time, and emptied before use."""
    _one_world.empty()
    return _one_world


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[World]:
    """A workspace of the test's own, for what leaves files behind or changes the app."""
    world = World(tmp_path / "workspace")
    yield world
    world.close()
