"""Every experiment counts what it shows from its start, also what was shown before on that day."""

import sqlalchemy as sa
from alembic import op

revision = "0008_experiment_impressions"
down_revision = "0007_job_notices"
branch_labels = None
depends_on = None

OLD, NEW = "uq_impression_user_id", "uq_impression_user_id_series"
DAILY = ["user_id", "day", "source", "item_id"]


def upgrade() -> None:
    with op.batch_alter_table("impression", schema=None) as batch_op:
        batch_op.add_column(sa.Column("series", sa.Integer(), server_default="0", nullable=False))
        # The new one first: MariaDB needs an index that begins with the user for her foreign key.
        batch_op.create_unique_constraint(NEW, [*DAILY, "series"])
        batch_op.drop_constraint(OLD, type_="unique")
    op.execute("UPDATE impression SET series = experiment_id WHERE experiment_id IS NOT NULL")


def downgrade() -> None:
    # Of what now counts as the same the first stays; MariaDB deletes by a table of its own only.
    kept = f"SELECT MIN(id) AS kept_id FROM impression GROUP BY {', '.join(DAILY)}"
    op.execute(f"DELETE FROM impression WHERE id NOT IN (SELECT kept_id FROM ({kept}) AS kept)")
    with op.batch_alter_table("impression", schema=None) as batch_op:
        batch_op.create_unique_constraint(OLD, DAILY)
        batch_op.drop_constraint(NEW, type_="unique")
        batch_op.drop_column("series")
