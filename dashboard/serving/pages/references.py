"""The table of reference of a version, which drift is measured against."""

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from dashboard.core.errors import Conflict, DomainError
from dashboard.core.i18n import _
from dashboard.serving import queries, services
from dashboard.serving.callers import sent_file
from dashboard.serving.forms import ReferenceForm
from dashboard.serving.models import Right
from dashboard.serving.pages.blueprint import pages, viewer
from dashboard.serving.services import references

ADDRESS = "/models/<int:model_id>/versions/<int:number>/reference"


@pages.route(ADDRESS, methods=["GET", "POST"])
def reference(model_id: int, number: int) -> str | Response:
    """Give a table of reference, or another one."""
    model = queries.get_model(model_id, viewer(), right=Right.MANAGE)
    version = queries.get_version(model, number)
    form = ReferenceForm()
    if form.validate_on_submit():
        try:
            with sent_file() as (source, name):
                services.set_reference(
                    model_id, number, source, original_name=name, viewer=viewer()
                )
            flash(_("Drift is measured against this table from now on."), "success")
            return _to(model_id, number)
        except DomainError as error:
            form.show(error)
    return render_template(
        "serving/reference.html",
        form=form,
        model=model,
        version=version,
        max_bytes=references.MAX_TABLE_BYTES,
        max_rows=references.MAX_ROWS,
    )


@pages.post(f"{ADDRESS}/delete")
def reference_delete(model_id: int, number: int) -> Response:
    """Measure against what the training or the file says again."""
    try:
        services.remove_reference(model_id, number, viewer=viewer())
        flash(_("The table of reference is no longer used."), "success")
    except Conflict as error:
        flash(error.message, "warning")
    return _to(model_id, number)


def _to(model_id: int, number: int) -> Response:
    return redirect(url_for("serving.model", model_id=model_id, version=number, _anchor="baseline"))
