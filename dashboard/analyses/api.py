"""Analyses for programs: upload, check, start, look at the results."""

from typing import Any

from flask import Response, request, url_for
from flask.views import MethodView
from flask_security import current_user

from dashboard.analyses import charts, queries, services
from dashboard.analyses.models import Run
from dashboard.analyses.queries import Wanted
from dashboard.analyses.schemas import (
    AnalysisDetailSchema,
    AnalysisPlotsSchema,
    AnalysisRunBody,
    AnalysisStartBody,
    AnalysisTableSchema,
    DescriptionBody,
    Detail,
    EntryPage,
    ListArgs,
    NothingBody,
    RunArgs,
)
from dashboard.core import tus
from dashboard.core.access import has_role
from dashboard.core.api import ApiBlueprint
from dashboard.core.database import Page, utcnow
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.schemas import ProgressSchema
from dashboard.job_queue.status import JobStatus, status_of

api = ApiBlueprint(
    "analyses_api",
    __name__,
    description=(
        "Your analyses: create one, send its tables (tus, or PUT for small ones), check, describe, start, "
        "and fetch tables and plots. `load_id` is the upload's number. Administrators see all, masked."
    ),
)
FORMS = ("json", "tsv", "svg", "png", "pdf")
MAX_ROWS = 5_000
"""Rows that a table of the API has; the TSV has them all."""


def viewer() -> Viewer:
    """Whoever asks."""
    return Viewer(user_id=current_user.id, sees_all=has_role("admin"))


@api.route("/analyses")
class Analyses(MethodView):
    @api.arguments(ListArgs, location="query")
    @api.response(200, EntryPage)
    def get(self, wanted: dict[str, Any]) -> Page[queries.Entry]:
        """Your analyses, last touched first"""
        return queries.page_of_entries(
            viewer(),
            Wanted(state=wanted.get("state")),
            page=wanted["page"],
            per_page=wanted["per_page"],
        )

    @api.arguments(NothingBody, required=False)
    @api.response(201, AnalysisDetailSchema)
    def post(self, _body: dict[str, Any]) -> Detail:
        """Begin an analysis; send its tables next"""
        return _detail(services.create_upload(owner_id=current_user.id).id)


@api.route("/analyses/sample")
class Sample(MethodView):
    @api.arguments(NothingBody, required=False)
    @api.response(202, AnalysisDetailSchema)
    def post(self, _body: dict[str, Any]) -> Detail:
        """Analyse simulated sample data"""
        draft = services.create_sample(owner_id=current_user.id)
        services.start_analysis(draft.id, viewer=viewer(), parameters={})
        return _detail(draft.id)


@api.route("/analyses/<int:upload_id>")
class OneAnalysis(MethodView):
    @api.response(200, AnalysisDetailSchema)
    @api.alt_response(404, "NOT_FOUND")
    def get(self, upload_id: int) -> Detail:
        """An analysis with its tables, check and latest run"""
        return _detail(upload_id)

    @api.arguments(DescriptionBody)
    @api.response(200, AnalysisDetailSchema)
    @api.alt_response(404, "NOT_FOUND")
    def put(self, body: dict[str, Any], upload_id: int) -> Detail:
        """Describe the patient and the samples; new labels ask for a new check"""
        samples = body.get("samples")
        services.describe_upload(
            upload_id,
            viewer=viewer(),
            patient_name=body["patient_name"],
            patient_age=body["patient_age"],
            note=body["note"],
            labels=None if samples is None else [each["label"] for each in samples],
            tumour_contents=(
                None if samples is None else [each["tumour_content"] for each in samples]
            ),
        )
        return _detail(upload_id)

    @api.response(204)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def delete(self, upload_id: int) -> None:
        """Delete an analysis with its tables and results"""
        services.delete_upload(upload_id, viewer=viewer())


@api.route("/analyses/<int:upload_id>/check")
class Check(MethodView):
    @api.arguments(NothingBody, required=False)
    @api.response(200, AnalysisDetailSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def post(self, _body: dict[str, Any], upload_id: int) -> Detail:
        """Check the tables that have arrived: every problem, what is left out, how samples overlap"""
        services.check_upload(upload_id, viewer=viewer())
        return _detail(upload_id)


@api.route("/analyses/<int:upload_id>/start")
class Start(MethodView):
    @api.arguments(AnalysisStartBody)
    @api.response(202, AnalysisDetailSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def post(self, body: dict[str, Any], upload_id: int) -> Detail:
        """Start a run; asked twice for the same, it is started once"""
        services.start_analysis(upload_id, viewer=viewer(), parameters=body["parameters"])
        return _detail(upload_id)


@api.route("/analyses/<int:upload_id>/cancel")
class Cancel(MethodView):
    @api.arguments(NothingBody, required=False)
    @api.response(202, AnalysisDetailSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def post(self, _body: dict[str, Any], upload_id: int) -> Detail:
        """Cancel: at once while it waits, within seconds while it runs"""
        services.cancel_analysis(upload_id, viewer=viewer())
        return _detail(upload_id)


@api.route("/analyses/<int:upload_id>/retry")
class Retry(MethodView):
    @api.arguments(NothingBody, required=False)
    @api.response(202, AnalysisDetailSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def post(self, _body: dict[str, Any], upload_id: int) -> Detail:
        """Try a failed or cancelled run again, with the same recipe"""
        services.retry_analysis(upload_id, viewer=viewer())
        return _detail(upload_id)


@api.route("/analyses/<int:upload_id>/reproduce")
class Reproduce(MethodView):
    @api.arguments(AnalysisRunBody, required=False)
    @api.response(202, AnalysisDetailSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def post(self, body: dict[str, Any], upload_id: int) -> Detail:
        """Run a recipe again; `run.comparison` says at the end whether the tables are identical"""
        run = queries.get_run_of(upload_id, body.get("run_id"), viewer())
        services.reproduce_analysis(run.id, viewer=viewer())
        return _detail(upload_id)


@api.route("/analyses/<int:upload_id>/progress.json")
class Progress(MethodView):
    @api.response(200, ProgressSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def get(self, upload_id: int) -> JobStatus:
        """How far the latest run is: state, fraction, place in the queue"""
        entry = queries.get_entry(upload_id, viewer())
        if entry.job is None:
            raise Conflict(_("There is no run under way."))
        return status_of(entry.job)


@api.route("/analyses/<int:upload_id>/tables/<any(cluster,loci):table_name>")
class Table(MethodView):
    @api.arguments(RunArgs, location="query")
    @api.response(200, AnalysisTableSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def get(self, wanted: dict[str, Any], upload_id: int, table_name: str) -> dict[str, Any]:
        """A table in PyClone's columns, its first 5,000 rows; the TSV has all of them"""
        run = _run(upload_id, wanted)
        services.load_result(run)
        path = services.artefact_path(run, f"tables/{table_name}.tsv")
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        return {
            "columns": head.split("\t"),
            "rows": [line.split("\t") for line in lines[:MAX_ROWS]],
        }


@api.route("/analyses/<int:upload_id>/plots")
class Plots(MethodView):
    @api.arguments(RunArgs, location="query")
    @api.response(200, AnalysisPlotsSchema)
    @api.alt_response(404, "NOT_FOUND")
    @api.alt_response(409, "CONFLICT")
    def get(self, wanted: dict[str, Any], upload_id: int) -> dict[str, Any]:
        """The nine plots: figure, data and pictures, each at an address of its own"""
        run = _run(upload_id, wanted)
        services.load_result(run)
        return {"items": [_plot(run, name) for name in charts.NAMES]}


class Files(MethodView):
    def options(self, upload_id: int) -> Response:
        """What this server can do."""
        return tus.capabilities(max_bytes=services.settings().max_file_bytes)

    @tus.speaks_tus
    def post(self, upload_id: int) -> Response:
        """Begin to send a table: Upload-Length, and Upload-Metadata with filename."""
        file = services.begin_file(
            upload_id,
            viewer=viewer(),
            name=tus.metadata().get("filename", ""),
            size_bytes=tus.header_number("Upload-Length"),
        )
        location = url_for("analyses_api.file", token=file.token)
        return tus.created(location, expires_at=file.expires_at or utcnow())


class OneFile(MethodView):
    @tus.speaks_tus
    def head(self, token: str) -> Response:
        """How much has arrived."""
        file = queries.get_file(token, owner_id=current_user.id)
        size_bytes, expires_at = file.size_bytes, file.expires_at or utcnow()
        offset = services.resume_file(file)
        return tus.progress(offset=offset, size_bytes=size_bytes, expires_at=expires_at)

    @tus.speaks_tus
    def patch(self, token: str) -> Response:
        """Add a piece at Upload-Offset."""
        at = tus.require_piece()
        file = queries.get_file(token, owner_id=current_user.id)
        offset, _complete = services.append_file(file, offset=at, source=request.stream)
        return tus.advanced(offset)

    @tus.speaks_tus
    def delete(self, token: str) -> Response:
        """Give a table up."""
        services.cancel_file(queries.get_file(token, owner_id=current_user.id))
        return Response(status=204)


class WholeFile(MethodView):
    def put(self, upload_id: int, filename: str) -> Response:
        """A table in one go, its content as the body: curl -T S1.tsv …/files/S1.tsv"""
        size = request.content_length
        if size is None:
            return Response(status=411)
        services.add_file(
            upload_id, viewer=viewer(), name=filename, source=request.stream, size_bytes=size
        )
        return Response(status=204)


api.add_url_rule("/analyses/<int:upload_id>/files", view_func=Files.as_view("files"))
api.add_url_rule("/analyses/files/<token>", view_func=OneFile.as_view("file"))
api.add_url_rule(
    "/analyses/<int:upload_id>/files/<filename>", view_func=WholeFile.as_view("whole_file")
)


def _detail(upload_id: int) -> Detail:
    return Detail(queries.get_entry(upload_id, viewer()))


def _run(upload_id: int, wanted: dict[str, Any]) -> Run:
    queries.get_entry(upload_id, viewer())
    return queries.get_run_of(upload_id, wanted.get("run"), viewer())


def _plot(run: Run, name: str) -> dict[str, Any]:
    group, _slash, plot = name.partition("/")
    urls = {
        form: url_for("analyses.plot", run_id=run.id, group=group, plot_name=plot, form=form)
        for form in FORMS
    }
    return {"name": name, "label": str(charts.LABELS[name]), "urls": urls}
