"""Descriptions of runs, runs of the user's own process, and experiments that can be changed"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("description", sa.Text(), server_default="", nullable=False))
        batch_op.alter_column(
            "kind", existing_type=sa.String(length=8), type_=sa.String(length=16), existing_nullable=False
        )

    with op.batch_alter_table("experiments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("id", sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column("tags", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("is_archived", sa.Boolean(), server_default=sa.false(), nullable=False))

    # Experiments that are there already get their id now; it never changes again.
    experiments = sa.table("experiments", sa.column("name", sa.String()), sa.column("id", sa.String()))
    connection = op.get_bind()
    for name in connection.scalars(sa.select(experiments.c.name)).all():
        connection.execute(sa.update(experiments).where(experiments.c.name == name).values(id=str(uuid.uuid4())))

    with op.batch_alter_table("experiments", schema=None) as batch_op:
        batch_op.alter_column("id", existing_type=sa.String(length=36), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_experiments_id"), ["id"])
