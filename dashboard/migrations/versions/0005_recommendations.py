"""Recommendations: rules, settings, experiments, what was shown and opened; refreshes of runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005_recommendations"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recommendation_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("diversity", sa.Float(), nullable=False),
        sa.Column("penalty", sa.Float(), nullable=False),
        sa.Column("content", sa.Float(), nullable=False),
        sa.Column("own_language_first", sa.Boolean(), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "content BETWEEN 0 AND 1", name=op.f("ck_recommendation_settings_content")
        ),
        sa.CheckConstraint(
            "diversity BETWEEN 0 AND 1", name=op.f("ck_recommendation_settings_diversity")
        ),
        sa.CheckConstraint(
            "penalty BETWEEN 0 AND 1", name=op.f("ck_recommendation_settings_penalty")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation_settings")),
    )
    op.create_table(
        "recommendation_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("effect", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column(
            "ends_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=True,
        ),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["item.id"],
            name=op.f("fk_recommendation_rule_item_id_item"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation_rule")),
    )
    with op.batch_alter_table("recommendation_rule", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_recommendation_rule_item_id"), ["item_id"], unique=False
        )

    op.create_table(
        "experiment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("is_running", sa.Boolean(), nullable=True),
        sa.Column("run_a_id", sa.Integer(), nullable=False),
        sa.Column("run_b_id", sa.Integer(), nullable=False),
        sa.Column("share_b", sa.Float(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=False,
        ),
        sa.Column(
            "ended_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=True,
        ),
        sa.CheckConstraint("share_b > 0 AND share_b < 1", name=op.f("ck_experiment_share_b")),
        sa.ForeignKeyConstraint(
            ["run_a_id"],
            ["training_run.id"],
            name=op.f("fk_experiment_run_a_id_training_run"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_b_id"],
            ["training_run.id"],
            name=op.f("fk_experiment_run_b_id_training_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
        sa.UniqueConstraint("is_running", name=op.f("uq_experiment_is_running")),
    )
    with op.batch_alter_table("experiment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experiment_run_a_id"), ["run_a_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiment_run_b_id"), ["run_b_id"], unique=False)

    op.create_table(
        "impression",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("experiment_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column(
            "shown_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=False,
        ),
        sa.Column(
            "clicked_at",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "watched_until",
            sa.DateTime()
            .with_variant(mysql.DATETIME(fsp=6), "mariadb")
            .with_variant(mysql.DATETIME(fsp=6), "mysql"),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiment.id"],
            name=op.f("fk_impression_experiment_id_experiment"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_impression_item_id_item"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["training_run.id"],
            name=op.f("fk_impression_run_id_training_run"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_impression_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impression")),
        sa.UniqueConstraint("user_id", "day", "source", "item_id", name="uq_impression_user_id"),
    )
    with op.batch_alter_table("impression", schema=None) as batch_op:
        batch_op.create_index("ix_impression_run_source", ["run_id", "source"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_impression_experiment_id"), ["experiment_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_impression_item_id"), ["item_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_impression_shown_at"), ["shown_at"], unique=False)

    with op.batch_alter_table("training_run", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "refreshed_at",
                sa.DateTime()
                .with_variant(mysql.DATETIME(fsp=6), "mariadb")
                .with_variant(mysql.DATETIME(fsp=6), "mysql"),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("last_event_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("training_run", schema=None) as batch_op:
        batch_op.drop_column("last_event_id")
        batch_op.drop_column("refreshed_at")
    op.drop_table("impression")
    op.drop_table("experiment")
    op.drop_table("recommendation_rule")
    op.drop_table("recommendation_settings")
