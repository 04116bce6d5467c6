"""The unique key that a job was enqueued with, so that a retry takes it again."""

import sqlalchemy as sa
from alembic import op

revision = "0009_job_keys"
down_revision = "0008_experiment_impressions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("original_key", sa.String(length=120), nullable=True))
    # Jobs that have ended have lost theirs.
    op.execute("UPDATE job SET original_key = unique_key WHERE unique_key IS NOT NULL")


def downgrade() -> None:
    op.drop_column("job", "original_key")
