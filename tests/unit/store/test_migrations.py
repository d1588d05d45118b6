"""The migrations make exactly the tables that the code uses."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sublight.store import migrations, tables
from sublight.store.database import open_sqlite


def test_a_migrated_database_has_the_tables_of_the_code_and_nothing_else(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "new.db")
    migrations.upgrade(database.engine)

    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)

    database.close()
    assert differences == []


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "new.db")
    migrations.upgrade(database.engine)
    migrations.upgrade(database.engine)

    with database.read() as connection:
        assert connection.execute(tables.runs.select()).all() == []
    database.close()
