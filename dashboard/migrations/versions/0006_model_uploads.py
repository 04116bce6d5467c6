"""Model files and tables that come in pieces; where the baseline of a version comes from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006_model_uploads"
down_revision = "0005_recommendations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("deployment_id", sa.Integer(), nullable=True),
        sa.Column("original_name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "expires_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployment.id"],
            name=op.f("fk_model_upload_deployment_id_deployment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["user.id"],
            name=op.f("fk_model_upload_owner_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_upload")),
        sa.UniqueConstraint("token", name=op.f("uq_model_upload_token")),
    )
    with op.batch_alter_table("model_upload", schema=None) as batch_op:
        for column in ("owner_id", "deployment_id", "expires_at"):
            batch_op.create_index(batch_op.f(f"ix_model_upload_{column}"), [column], unique=False)
    with op.batch_alter_table("model_version", schema=None) as batch_op:
        for column in ("baseline_about", "own_baseline"):
            batch_op.add_column(sa.Column(column, sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("model_version", schema=None) as batch_op:
        batch_op.drop_column("own_baseline")
        batch_op.drop_column("baseline_about")
    op.drop_table("model_upload")
