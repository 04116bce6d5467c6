"""What one learner did of some kind is found without reading all that she did."""

from alembic import op

revision = "0010_event_kinds"
down_revision = "0009_job_keys"
branch_labels = None
depends_on = None

NAME = "ix_event_user_id_kind_item_id"


def upgrade() -> None:
    op.create_index(NAME, "event", ["user_id", "kind", "item_id"], unique=False)


def downgrade() -> None:
    op.drop_index(NAME, table_name="event")
