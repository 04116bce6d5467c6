"""Where the files of rows are."""

from pathlib import Path

from flask import current_app

from dashboard.serving.models import (
    ModelTraining,
    ModelVersion,
    PredictionTask,
)


def folder() -> Path:
    """Where model files, tables and tasks are kept; no address serves it."""
    data_dir: Path = current_app.config["ATRIUM"].site.data_dir
    return data_dir / "models"


def path_of(version: ModelVersion) -> Path:
    """The file of a version."""
    return folder() / Path(version.file_name).name


def table_path(training: ModelTraining) -> Path:
    """The table of a training."""
    return folder() / "tables" / Path(training.file_name).name


def task_folder(task: PredictionTask) -> Path:
    """Where the input, the parts and the result of a task are."""
    return folder() / "tasks" / Path(task.public_id).name
