"""The migrations make exactly the tables that the code uses."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sublight.store import migrations, tables
from sublight.store.database import open_sqlite


def test_a_migrated_database_has_the_tables_of_the_code_and_nothing_else(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "new.db")
    migrations.upgrade(database.engine)

    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)

    database.close()
    assert differences == []


def test_the_newest_revision_is_the_one_that_starts_look_for() -> None:
    scripts = ScriptDirectory(str(migrations.FOLDER))

    assert scripts.get_current_head() == migrations.HEAD


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "new.db")
    migrations.upgrade(database.engine)
    migrations.upgrade(database.engine)

    with database.read() as connection:
        assert connection.execute(tables.runs.select()).all() == []
    database.close()


def test_a_workspace_of_the_first_version_keeps_its_runs_and_experiments(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "old.db")
    migrations.upgrade(database.engine, to="0001")
    run = (
        "INSERT INTO runs (id, kind, experiment, name, target, target_facts, status, reason, created_by, created,"
        " attempt, parameters, arguments, tags, properties, change) VALUES"
        " ('a-1', 'script', 'e1', 'mine', 'local', '{}', 'completed', '', 'eva', 1.5, 1, '{}', '[]', '{}', '{}', 7)"
    )
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO experiments (name, created) VALUES ('e1', 1.0), ('e2', 2.0)")
        connection.exec_driver_sql(run)

    migrations.upgrade(database.engine)

    with database.read() as connection:
        experiments = connection.execute(tables.experiments.select().order_by(tables.experiments.c.name)).all()
        (kept,) = connection.execute(tables.runs.select()).all()
        indexes = {row[1] for row in connection.exec_driver_sql("PRAGMA index_list(runs)").all()}
    database.close()
    assert [(row.name, row.created, row.tags, row.is_archived) for row in experiments] == [
        ("e1", 1.0, {}, False),
        ("e2", 2.0, {}, False),
    ]
    assert len({row.id for row in experiments}) == 2
    assert (kept.id, kept.name, kept.description, kept.created, kept.change) == ("a-1", "mine", "", 1.5, 7)
    assert {index.name for index in tables.runs.indexes} <= indexes
