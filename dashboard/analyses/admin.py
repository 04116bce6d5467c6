"""Analyses in the dashboard: masked, to be looked at and cancelled; what patients gave is nobody's here."""

from collections.abc import Sequence
from typing import Any

from flask import flash, url_for
from flask_admin.actions import action
from markupsafe import Markup
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import selectinload

from dashboard.analyses import labels, queries, services
from dashboard.analyses.models import STATE_LABELS, Artefact, Run, Upload
from dashboard.core.admin import AdminPage, AtriumModelView, Figure, goes_with
from dashboard.core.admin.filters import Choice, Day, YesNo
from dashboard.core.admin.markup import state_tag
from dashboard.core.database import session
from dashboard.core.i18n import _, lazy
from dashboard.job_queue.models import RUNNING, Job
from dashboard.job_queue.queries import Viewer

ANALYSES = lazy("Analyses")
YES_NO = {"yes": lazy("Yes"), "no": lazy("No")}


class Uploads(AtriumModelView):
    """Every upload: whose, masked, how many tables, how far."""

    model = Upload
    slug, label, group, icon = "analysis-uploads", lazy("Uploads"), ANALYSES, "upload"
    description_text = lazy("Names and ages are masked here as everywhere; only owners see them.")
    empty_text = lazy("Nothing has been uploaded yet.")
    column_list = ("id", "owner_id", "name_mask", "age_band", "files", "state", "touched_at")
    column_details_list = (*column_list, "label_text", "is_sample_data", "created_at")
    column_export_list = (
        *("id", "owner_id", "name_mask", "age_band", "label_text", "is_sample_data"),
        *("created_at", "touched_at"),
    )
    column_labels = {
        "id": lazy("Number"),
        "owner_id": lazy("Number of the owner"),
        "name_mask": lazy("Patient"),
        "age_band": lazy("Age"),
        "files": lazy("Tables"),
        "state": lazy("State"),
        "label_text": lazy("Samples"),
        "is_sample_data": lazy("Sample data"),
        "created_at": lazy("Created"),
        "touched_at": lazy("Changed"),
    }
    column_sortable_list = ("touched_at",)
    column_formatters = {
        "id": lambda _view, _context, upload, _name: f"#{upload.id}",
        "files": lambda _view, _context, upload, _name: _files(upload),
        "state": lambda _view, _context, upload, _name: _state(upload),
    }
    column_filters = (
        YesNo("sample", lazy("Sample data"), Upload.is_sample_data, YES_NO),
        Day("from", lazy("From"), Upload.touched_at),
        Day("to", lazy("To"), Upload.touched_at, until=True),
    )
    load = (selectinload(Upload.files),)

    def row_name(self, row: Upload) -> str:
        return _("Analysis %(id)s", id=row.id)

    def row_links(self, row: Upload) -> list[tuple[str, str, Any]]:
        return [(url_for("analyses.result", load_id=row.id), "record", _("Result, masked"))]

    @action("cancel", lazy("Cancel"), lazy("Do you want to cancel these analyses?"))
    def action_cancel(self, rows: Sequence[Upload]) -> None:
        viewer = Viewer(user_id=self.actor_id, sees_all=True)
        self.each(rows, lambda row: services.cancel_analysis(row.id, viewer=viewer), _say_cancelled)


class Runs(AtriumModelView):
    """Every run: engine, options, what came out."""

    model = Run
    slug, label, group, icon = "analysis-runs", lazy("Runs"), ANALYSES, "play"
    empty_text = lazy("Nothing has been analysed yet.")
    column_list = ("id", "upload_id", "engine", "state", "clusters", "seconds", "created_at")
    column_details_list = (*column_list, "parameters", "repeats_id", "error", "finished_at")
    column_export_list = (
        *("id", "upload_id", "job_id", "engine", "outcome", "seconds", "error"),
        *("created_at", "finished_at"),
    )
    column_labels = {
        "id": lazy("Number"),
        "upload_id": lazy("Upload"),
        "job_id": lazy("Job"),
        "engine": lazy("Engine"),
        "state": lazy("State"),
        "outcome": lazy("Outcome"),
        "clusters": lazy("Clusters"),
        "seconds": lazy("Seconds"),
        "parameters": lazy("Options of the engine"),
        "repeats_id": lazy("Repeats run"),
        "error": lazy("Reason"),
        "created_at": lazy("Created"),
        "finished_at": lazy("Finished"),
    }
    column_sortable_list = ("created_at",)
    column_formatters = {
        "id": lambda _view, _context, run, _name: f"#{run.id}",
        "state": lambda _view, _context, run, _name: _run_state(run),
        "clusters": lambda _view, _context, run, _name: run.summary.get("clusters", "–"),
        "parameters": lambda _view, _context, run, _name: _options(run),
    }
    column_filters = (
        Choice("engine", lazy("Engine"), Run.engine, labels.ENGINES),
        Day("from", lazy("From"), Run.created_at),
        Day("to", lazy("To"), Run.created_at, until=True),
    )

    def row_name(self, row: Run) -> str:
        return _("Run %(id)s", id=row.id)

    def row_links(self, row: Run) -> list[tuple[str, str, Any]]:
        links = [
            (
                url_for("analyses.result", load_id=row.upload_id, run=row.id),
                "record",
                _("Result, masked"),
            )
        ]
        if row.job_id is not None:
            links.append(
                (url_for("job_queue.job", job_id=row.job_id), "job", _("Log and timeline"))
            )
        return links

    def figures(self) -> list[Figure]:
        of_runs = select(func.count()).select_from(Run).join(Job, Job.id == Run.job_id)
        running = session.scalar(of_runs.where(RUNNING)) or 0
        return [
            *super().figures(),
            Figure(_("Analyses running"), running, url_for("admin_analysis_runs.index_view")),
        ]


class Artefacts(AtriumModelView):
    """The files that runs made."""

    model = Artefact
    slug, label, group, icon = "analysis-files", lazy("Result files"), ANALYSES, "record"
    empty_text = lazy("No run has made a file yet.")
    column_list = ("id", "run_id", "name", "size_bytes", "created_at")
    column_details_list = (*column_list, "sha256")
    column_export_list = column_details_list
    column_labels = {
        "id": lazy("Number"),
        "run_id": lazy("Run"),
        "name": lazy("File"),
        "size_bytes": lazy("Size in bytes"),
        "sha256": "SHA-256",
        "created_at": lazy("Created"),
    }
    column_filters = (
        Day("from", lazy("From"), Artefact.created_at),
        Day("to", lazy("To"), Artefact.created_at, until=True),
    )


VIEWS: list[type[AdminPage]] = [Uploads, Runs, Artefacts]


@goes_with("user")
def count_uploads(ids: Sequence[int]) -> dict[int, str]:
    """How many analyses go with each user."""
    owned: ColumnElement[bool] = Upload.owner_id.in_(ids)
    query = select(Upload.owner_id, func.count()).where(owned).group_by(Upload.owner_id)
    return {
        id: _("analyses with their results: %(count)s", count=count)
        for id, count in session.execute(query)
    }


def _files(upload: Upload) -> str:
    size = sum(file.size_bytes for file in upload.files)
    return f"{len(upload.files)} ({size / 2**20:.1f} MB)"


def _state(upload: Upload) -> Markup:
    entry = queries.get_entry(upload.id, Viewer(user_id=None, sees_all=True))
    return state_tag(entry.state.value, entry.state_label)


def _run_state(run: Run) -> Markup:
    entry = queries.entry_of(run)
    return state_tag(entry.state.value, str(STATE_LABELS[entry.state]))


def _options(run: Run) -> str:
    given = {name: value for name, value in run.parameters.items() if value is not None}
    return ", ".join(f"{name}={value}" for name, value in given.items())


def _say_cancelled(count: int) -> None:
    flash(_("Analyses cancelled or asked to stop: %(count)s", count=count), "success")
