"""The migrations of the workspace's database (Alembic), from its first table on."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

from sublight.store.database import plain_errors

FOLDER = Path(__file__).parent
# The newest revision; a test compares it with the files in versions/.
HEAD = "0003"


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the database to the newest revision, or to the one named; does nothing when it is there already.

    Raises StorageFull when the disk is full and StorageDamaged when the file is no database.
    """
    configuration = _configuration()
    with plain_errors(), engine.connect() as connection:
        # Most starts find nothing to do, and Alembic takes longer to find that out than all the rest of a start.
        if to == "head" and MigrationContext.configure(connection).get_current_revision() == HEAD:
            return
    with plain_errors(), engine.connect().execution_options(sublight_writes=True) as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, to)
        connection.commit()


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER))
    return configuration
