"""What the tests of the store share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sublight.store.database import Database, open_sqlite
from sublight.store.tables import metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with empty tables."""
    database = open_sqlite(tmp_path / "test.db")
    with database.write() as connection:
        metadata.create_all(connection)
    yield database
    database.close()
