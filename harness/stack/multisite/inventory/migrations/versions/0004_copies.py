"""Copies of the inventory on several machines."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    made = op.create_table(
        "copies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("promised", sa.Integer(), nullable=False),
        sa.Column("promised_to", sa.String(length=63), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("leader", sa.String(length=63), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(made, [{"id": 1, "promised": 0, "promised_to": "", "term": 0, "leader": "", "number": 0}])


def downgrade() -> None:
    op.drop_table("copies")
