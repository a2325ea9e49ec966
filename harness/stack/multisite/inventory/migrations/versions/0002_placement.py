"""Machines, what runs on them, and what services want to run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "machines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=253), nullable=False),
        sa.Column("cpu_millis", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index(op.f("ix_machines_site_id"), "machines", ["site_id"], unique=False)
    op.create_table(
        "replicas",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=63), nullable=False),
        sa.Column("machine", sa.String(length=63), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(length=16), nullable=False),
        sa.Column("deploy", sa.JSON(), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("machine", "port"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("services") as services:
        services.add_column(sa.Column("deploy", sa.JSON(), nullable=True))
        services.add_column(sa.Column("proven", sa.JSON(), nullable=True))
        services.add_column(sa.Column("refused", sa.String(length=16), nullable=True))
    with op.batch_alter_table("backends") as backends:
        backends.add_column(sa.Column("machine", sa.String(length=63), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("backends") as backends:
        backends.drop_column("machine")
    with op.batch_alter_table("services") as services:
        services.drop_column("refused")
        services.drop_column("proven")
        services.drop_column("deploy")
    op.drop_table("replicas")
    op.drop_index(op.f("ix_machines_site_id"), table_name="machines")
    op.drop_table("machines")
