"""Which ends of their jobs owners have read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007_job_notices"
down_revision = "0006_model_uploads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_notice_read",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "read_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["job.id"],
            name=op.f("fk_job_notice_read_job_id_job"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_notice_read")),
    )


def downgrade() -> None:
    op.drop_table("job_notice_read")
