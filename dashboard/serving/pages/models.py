"""Models: the list, a model's page, uploads, sharing, deleting, testing before deployment."""

from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from dashboard.core.errors import DomainError, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.serving import queries, services
from dashboard.serving.callers import sent_file
from dashboard.serving.forms import DeleteForm, EditForm, ModelForm, ShareForm, VersionForm
from dashboard.serving.models import Right
from dashboard.serving.pages.blueprint import PER_PAGE, page_number, pages, viewer
from dashboard.serving.pages.testing import TestInput, read_test_input
from dashboard.serving.services import fields, snippets


@pages.get("/models")
def model_list() -> str:
    """The models one may see, newest first."""
    search = request.args.get("q", "")[:200]
    found = queries.page_of_models(viewer(), search=search, page=page_number(), per_page=PER_PAGE)
    return render_template(
        "serving/models.html",
        page=found,
        search=search,
        n_deployments=queries.count_deployments_of([each.id for each in found.items]),
        viewer=viewer(),
    )


@pages.route("/models/new", methods=["GET", "POST"])
def model_new() -> str | Response:
    """Upload a model."""
    form = ModelForm()
    if form.validate_on_submit():
        try:
            with sent_file() as (source, name):
                model = services.add_model(
                    source,
                    original_name=name,
                    name=form.name.data or "",
                    description=form.description.data or "",
                    viewer=viewer(),
                )
            flash(_("The model was understood and is ready to test."), "success")
            return redirect(url_for("serving.model", model_id=model.id))
        except DomainError as error:
            form.show(error)
    return render_template("serving/model_new.html", form=form, limits=queries.settings())


@pages.get("/models/<int:model_id>")
def model(model_id: int) -> str:
    """Everything about a model."""
    found = queries.get_model(model_id, viewer())
    number = request.args.get("version", type=int)
    version = queries.get_version(found, number) if number is not None else found.newest
    return render_template(
        "serving/model.html",
        model=found,
        version=version,
        inputs=fields.inputs_of(version),
        outputs=fields.outputs_of(version),
        deployments=queries.list_deployments_of(found),
        has_reference=services.has_reference(version),
        training=queries.find_training_of([version.id]).get(version.id),
        rights=queries.list_rights(found) if queries.owns(viewer(), found) else [],
        share_form=ShareForm(formdata=None),
        owns=queries.owns(viewer(), found),
        may_use=queries.may(viewer(), found, Right.USE),
        may_manage=queries.may(viewer(), found, Right.MANAGE),
    )


@pages.route("/models/<int:model_id>/edit", methods=["GET", "POST"])
def model_edit(model_id: int) -> str | Response:
    """Change a model's name and introduction."""
    found = queries.get_model(model_id, viewer(), right=Right.MANAGE)
    form = EditForm(obj=found)
    if form.validate_on_submit():
        try:
            services.update_model(
                model_id,
                name=form.name.data,
                description=form.description.data,
                viewer=viewer(),
            )
            flash(_("Saved."), "success")
            return redirect(url_for("serving.model", model_id=model_id))
        except DomainError as error:
            form.show(error)
    return render_template("serving/model_edit.html", form=form, model=found)


@pages.route("/models/<int:model_id>/versions", methods=["GET", "POST"])
def version_new(model_id: int) -> str | Response:
    """Add a version to a model."""
    found = queries.get_model(model_id, viewer(), right=Right.MANAGE)
    form = VersionForm()
    if form.validate_on_submit():
        try:
            with sent_file() as (source, name):
                version = services.add_version(
                    model_id,
                    source,
                    original_name=name,
                    note=form.note.data or "",
                    viewer=viewer(),
                )
            flash(_("Version %(number)s was added.", number=version.number), "success")
            return redirect(url_for("serving.model", model_id=model_id, version=version.number))
        except DomainError as error:
            form.show(error)
    return render_template(
        "serving/version_new.html", form=form, model=found, limits=queries.settings()
    )


@pages.get("/models/<int:model_id>/versions/<int:number>/file")
def version_file(model_id: int, number: int) -> Response:
    """The file of a version, as it came in."""
    version = queries.get_version(queries.get_model(model_id, viewer()), number)
    return send_file(
        queries.path_of(version),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=version.original_name or f"{version.model.name}.{version.format}",
    )


@pages.post("/models/<int:model_id>/versions/<int:number>/delete")
def version_delete(model_id: int, number: int) -> Response:
    """Remove one version."""
    try:
        services.delete_version(model_id, number, viewer=viewer())
        flash(_("Version %(number)s was deleted.", number=number), "success")
    except services.StillDeployed as error:
        flash(error.message, "warning")
    return redirect(url_for("serving.model", model_id=model_id))


@pages.route("/models/<int:model_id>/delete", methods=["GET", "POST"])
def model_delete(model_id: int) -> str | Response:
    """Ask, then remove a model."""
    found = queries.get_model(model_id, viewer(), right=Right.MANAGE)
    form = DeleteForm()
    if form.validate_on_submit():
        try:
            services.delete_model(model_id, viewer=viewer(), force=bool(form.force.data))
            flash(_("The model was deleted."), "success")
            return redirect(url_for("serving.model_list"))
        except services.StillDeployed as error:
            form.show(error)
    return render_template(
        "serving/model_delete.html",
        form=form,
        model=found,
        deployments=queries.list_deployments_of(found),
    )


@pages.post("/models/<int:model_id>/share")
def model_share(model_id: int) -> Response:
    """Let somebody else use a model."""
    form = ShareForm()
    try:
        services.share_model(
            model_id,
            identity=form.identity.data or "",
            right=form.right.data or "",
            viewer=viewer(),
        )
        flash(_("The model is shared."), "success")
    except Invalid as error:
        flash(error.problems[0].message if error.problems else error.message, "warning")
    return redirect(url_for("serving.model", model_id=model_id, _anchor="sharing"))


@pages.post("/models/<int:model_id>/share/<int:user_id>/end")
def model_unshare(model_id: int, user_id: int) -> Response:
    """Take somebody's rights away."""
    services.unshare_model(model_id, user_id=user_id, viewer=viewer())
    flash(_("The model is no longer shared with this person."), "success")
    return redirect(url_for("serving.model", model_id=model_id, _anchor="sharing"))


@pages.route("/models/<int:model_id>/test", methods=["GET", "POST"])
def model_test(model_id: int) -> str | Response:
    """Try a version before it is deployed: by form, by JSON, by file."""
    found = queries.get_model(model_id, viewer(), right=Right.USE)
    number = request.values.get("version", type=int)
    version = queries.get_version(found, number) if number is not None else found.newest
    given = TestInput(version)
    answer: Any = None
    problems: list[Problem] = []
    if request.method == "POST":
        try:
            records = read_test_input(given)
            answer = services.try_version(version, records, script=given.script)
        except DomainError as error:
            problems = error.problems or [Problem("", error.message)]
    return render_template(
        "serving/model_test.html",
        model=found,
        version=version,
        given=given,
        inputs=fields.inputs_of(version),
        answer=answer,
        problems=problems,
        snippets=snippets.for_test(version, given.records or [version.sample_record]),
    )
