"""Uploads, runs, results, links and reveals of analyses."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('analysis_upload',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.Column('touched_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.Column('patient_name', sa.String(length=2000), nullable=False),
    sa.Column('patient_age', sa.String(length=200), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('name_mask', sa.String(length=200), nullable=False),
    sa.Column('age_band', sa.String(length=20), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.Column('samples', sa.JSON(), nullable=False),
    sa.Column('label_text', sa.String(length=2500), nullable=False),
    sa.Column('preflight', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('is_sample_data', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['user.id'], name=op.f('fk_analysis_upload_owner_id_user'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_analysis_upload'))
    )
    with op.batch_alter_table('analysis_upload', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_analysis_upload_owner_id'), ['owner_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_analysis_upload_touched_at'), ['touched_at'], unique=False)

    op.create_table('analysis_file',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('upload_id', sa.Integer(), nullable=False),
    sa.Column('stored_name', sa.String(length=60), nullable=False),
    sa.Column('original_name', sa.String(length=2000), nullable=False),
    sa.Column('name_mask', sa.String(length=80), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('token', sa.String(length=43), nullable=True),
    sa.Column('expires_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=True),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.ForeignKeyConstraint(['upload_id'], ['analysis_upload.id'], name=op.f('fk_analysis_file_upload_id_analysis_upload'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_analysis_file')),
    sa.UniqueConstraint('token', name=op.f('uq_analysis_file_token'))
    )
    with op.batch_alter_table('analysis_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_analysis_file_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_analysis_file_upload_id'), ['upload_id'], unique=False)

    op.create_table('analysis_reveal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('upload_id', sa.Integer(), nullable=False),
    sa.Column('actor_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['user.id'], name=op.f('fk_analysis_reveal_actor_id_user'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['upload_id'], ['analysis_upload.id'], name=op.f('fk_analysis_reveal_upload_id_analysis_upload'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_analysis_reveal'))
    )
    with op.batch_alter_table('analysis_reveal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_analysis_reveal_actor_id'), ['actor_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_analysis_reveal_upload_id'), ['upload_id'], unique=False)

    op.create_table('analysis_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('upload_id', sa.Integer(), nullable=False),
    sa.Column('is_latest', sa.Boolean(), nullable=True),
    sa.Column('job_id', sa.Integer(), nullable=True),
    sa.Column('engine', sa.String(length=20), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.Column('samples', sa.JSON(), nullable=False),
    sa.Column('outcome', sa.String(length=12), nullable=True),
    sa.Column('error', sa.String(length=500), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.Column('finished_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=True),
    sa.Column('seconds', sa.Float(), nullable=True),
    sa.Column('summary', sa.JSON(), nullable=False),
    sa.Column('recipe', sa.JSON(), nullable=False),
    sa.Column('repeats_id', sa.Integer(), nullable=True),
    sa.Column('comparison', sa.JSON(), nullable=False),
    sa.Column('seen_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=True),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_analysis_run_job_id_job'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['repeats_id'], ['analysis_run.id'], name=op.f('fk_analysis_run_repeats_id_analysis_run'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['upload_id'], ['analysis_upload.id'], name=op.f('fk_analysis_run_upload_id_analysis_upload'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_analysis_run')),
    sa.UniqueConstraint('upload_id', 'is_latest', name='uq_analysis_run_latest')
    )
    with op.batch_alter_table('analysis_run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_analysis_run_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_analysis_run_job_id'), ['job_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_analysis_run_repeats_id'), ['repeats_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_analysis_run_upload_id'), ['upload_id'], unique=False)

    op.create_table('analysis_artefact',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['analysis_run.id'], name=op.f('fk_analysis_artefact_run_id_analysis_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_analysis_artefact')),
    sa.UniqueConstraint('run_id', 'name', name='uq_analysis_artefact_name')
    )
    op.create_table('analysis_share',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('token_sha256', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.Column('expires_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=False),
    sa.Column('revoked_at', sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mariadb').with_variant(mysql.DATETIME(fsp=6), 'mysql'), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['analysis_run.id'], name=op.f('fk_analysis_share_run_id_analysis_run'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_analysis_share')),
    sa.UniqueConstraint('token_sha256', name=op.f('uq_analysis_share_token_sha256'))
    )
    with op.batch_alter_table('analysis_share', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_analysis_share_run_id'), ['run_id'], unique=False)



def downgrade() -> None:
    op.drop_table('analysis_share')
    op.drop_table('analysis_artefact')
    op.drop_table('analysis_run')
    op.drop_table('analysis_reveal')
    op.drop_table('analysis_file')
    op.drop_table('analysis_upload')
