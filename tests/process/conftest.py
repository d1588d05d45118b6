"""Projects for the tests with real processes; whatever a test does, nothing of them outlives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project of the test's own."""
    project = Project(tmp_path / "project")
    try:
        yield project
    finally:
        project.stop()


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One project for the tests of a module that leave its server and its nodes as they were."""
    project = Project(tmp_path_factory.mktemp("shared") / "project")
    try:
        yield project
    finally:
        project.stop()
