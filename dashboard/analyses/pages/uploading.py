"""A new analysis: tables, what the check says of them, the form, the start. Works without JavaScript too."""

import io
import zipfile

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from dashboard.analyses import queries, services
from dashboard.analyses.forms import AnalysisForm, all_problems, filled_form, read_samples
from dashboard.analyses.models import Upload
from dashboard.analyses.pages.blueprint import pages, viewer, wanted_id
from dashboard.core.cells import safe_cell
from dashboard.core.errors import Conflict, DomainError, Invalid, NotFound, Problem, wants_json
from dashboard.core.i18n import _

PLAIN_BYTES = 15 * 2**20
"""What a form may send at once; larger tables go in pieces."""


@pages.get("/upload")
def upload() -> str | AnyResponse:
    """The form, empty or of the upload that the address names."""
    number = wanted_id()
    if wants_json():
        return jsonify(_as_json(None if number is None else queries.get_entry(number, viewer())))
    found = None if number is None else queries.require_own(number, viewer())
    return _page(found, filled_form(found), [])


@pages.post("/upload", endpoint="upload_post")
def send() -> AnyResponse:
    """Take tables and the form; check, and start when asked to."""
    problems: list[Problem] = []
    draft = _draft()
    form = AnalysisForm()
    _take_files(draft, problems)
    _describe(draft, form, problems)
    draft = queries.require_own(draft.id, viewer())
    if any(file.has_arrived for file in draft.files) and draft.preflight is None:
        draft = services.check_upload(draft.id, viewer=viewer())
    if not draft.files:
        problems.append(Problem("files", _("Choose at least one mutation table.")))
    if not problems and request.form.get("action") == "start":
        return _start(draft, form)
    if wants_json():
        if problems:
            raise Invalid(problems=problems)
        return jsonify(_as_json(queries.get_entry(draft.id, viewer())))
    if problems:
        return Response(_page(draft, form, problems), status=422)
    return redirect(url_for("analyses.upload", load_id=draft.id))


@pages.post("/upload/sample")
def sample() -> AnyResponse:
    """Try with sample data: made, checked and started at once."""
    draft = services.create_sample(owner_id=current_user.id)
    services.start_analysis(draft.id, viewer=viewer(), parameters={})
    return _to_history(draft.id)


@pages.post("/upload/<int:upload_id>/files/<int:file_id>/delete")
def remove_file(upload_id: int, file_id: int) -> AnyResponse:
    """Take a table out."""
    services.remove_file(upload_id, file_id, viewer=viewer())
    draft = queries.require_own(upload_id, viewer())
    if any(file.has_arrived for file in draft.files):
        services.check_upload(upload_id, viewer=viewer())
    return redirect(url_for("analyses.upload", load_id=upload_id))


@pages.get("/upload/<int:upload_id>/repaired")
def repaired(upload_id: int) -> Response:
    """The tables put right as far as that needs no guess: one file, or several in a ZIP."""
    files = services.repaired(queries.require_own(upload_id, viewer())).files
    if not files:
        raise NotFound(_("Nothing of these tables can be used as it is."))
    if len(files) == 1:
        name, text = next(iter(files.items()))
        return _attachment(text.encode(), name, "text/tab-separated-values; charset=utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return _attachment(packed.getvalue(), f"analysis-{upload_id}-repaired.zip", "application/zip")


def _draft() -> Upload:
    number = wanted_id()
    if number is None:
        return services.create_upload(owner_id=current_user.id)
    return queries.require_own(number, viewer())


def _take_files(draft: Upload, problems: list[Problem]) -> None:
    for sent in request.files.getlist("files"):
        if sent.filename:
            try:
                services.add_file(
                    draft.id,
                    viewer=viewer(),
                    name=sent.filename,
                    source=sent.stream,
                    size_bytes=_size(sent),
                )
            except DomainError as error:
                problems += error.problems or [Problem("files", error.message)]


def _describe(draft: Upload, form: AnalysisForm, problems: list[Problem]) -> None:
    """Store what was typed, as far as it is right."""
    if not form.validate():
        problems += all_problems(form)
        return
    draft = queries.require_own(draft.id, viewer())
    labels, contents, wrong = read_samples(request.form, len(draft.samples))
    problems += wrong
    if wrong:
        return
    try:
        # Without fields of samples in the form, those that are known stay.
        typed = "label_0" in request.form
        parameters = form.parameters
        services.choice_of(parameters)
        # An empty field keeps what is there: the form does not show it again.
        name, age = ("", None) if form.forget_patient.data else services.patient_of(draft)
        services.describe_upload(
            draft.id,
            viewer=viewer(),
            patient_name=form.patient_name.data or name,
            patient_age=age if form.patient_age.data is None else form.patient_age.data,
            note=form.note.data or "",
            labels=labels if typed else None,
            tumour_contents=contents if typed else None,
            parameters=parameters,
        )
    except Invalid as error:
        problems += error.problems or [Problem("", error.message)]


def _start(draft: Upload, form: AnalysisForm) -> AnyResponse:
    if not draft.is_good:
        flash(_("The check found problems. Correct the tables and send them again."), "warning")
        return redirect(url_for("analyses.upload", load_id=draft.id))
    try:
        services.start_analysis(draft.id, viewer=viewer(), parameters=form.parameters)
    except Conflict as error:
        # A table has not arrived yet, for instance: the form stays as it was filled in.
        if wants_json():
            raise
        flash(error.message, "warning")
        return redirect(url_for("analyses.upload", load_id=draft.id))
    return _to_history(draft.id)


def _to_history(upload_id: int) -> AnyResponse:
    if wants_json():
        response = jsonify(_as_json(queries.get_entry(upload_id, viewer())))
        response.status_code = 202
        return response
    flash(_("The analysis is queued. You may close this page."), "success")
    return redirect(url_for("analyses.history", new=upload_id))


def _page(draft: Upload | None, form: AnalysisForm, problems: list[Problem]) -> str:
    report = draft.preflight if draft else None
    limits = services.settings()
    _fill_errors(form, problems)
    return render_template(
        "analyses/upload.html",
        draft=draft,
        form=form,
        problems=problems,
        faults={problem.field: problem.message for problem in problems},
        typed=request.form,
        report=report,
        locked=draft is not None and queries.find_latest_run(draft.id) is not None,
        limits=limits,
        engines=services.offered_engines(),
        plain_bytes=min(PLAIN_BYTES, limits.max_file_bytes),
        used_bytes=queries.used_bytes(current_user.id),
    )


def _fill_errors(form: AnalysisForm, problems: list[Problem]) -> None:
    for problem in problems:
        if problem.field in form:
            field = form[problem.field]
            if problem.message not in map(str, field.errors):
                field.errors = [*field.errors, problem.message]


def _as_json(entry: queries.Entry | None) -> dict[str, object]:
    if entry is None:
        limits = services.settings()
        return {"max_file_bytes": limits.max_file_bytes, "max_files": limits.max_files}
    return {
        "load_id": entry.upload.id,
        "state": entry.state.value,
        "state_label": entry.state_label,
        "samples": entry.upload.labels,
        "preflight": entry.upload.preflight,
    }


def _size(sent: FileStorage) -> int:
    size = sent.stream.seek(0, 2)
    sent.stream.seek(0)
    return size


def _attachment(content: bytes, name: str, mimetype: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=str(safe_cell(name)))
    return response
