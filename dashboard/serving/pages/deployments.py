"""Deployments: deploying, the list, the monitor, settings, trying one, its token."""

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from dashboard.core.errors import DomainError, Problem
from dashboard.core.i18n import _
from dashboard.serving import charts, drift, monitoring, queries, services
from dashboard.serving.forms import DeleteForm, DeployForm, SettingsForm
from dashboard.serving.models import Deployment, Right
from dashboard.serving.pages.blueprint import PER_PAGE, page_number, pages, viewer
from dashboard.serving.pages.testing import TestInput, read_test_input
from dashboard.serving.services import fields, snippets

# What the monitor shows: span of the chart -> (hours looked back, hours put together).
SPANS = {"day": (24, 1), "week": (7 * 24, 6), "month": (31 * 24, 24)}
DRIFT_DAYS = 7
N_DRIFT_CHARTS = 6
N_TASKS = 5
# Where the one sight of a token waits for the page that shows it.
SHOWN_ONCE = "deployment_token"


@pages.route("/models/<int:model_id>/deploy", methods=["GET", "POST"])
def deploy(model_id: int) -> str | Response:
    """Deploy a version of a model."""
    model = queries.get_model(model_id, viewer(), right=Right.MANAGE)
    numbers = [version.number for version in model.versions]
    form = DeployForm()
    form.offer(numbers)
    if request.method == "GET":
        form.name.data = services.suggested_name(model)
        wanted = request.args.get("version", type=int)
        form.version.data = wanted if wanted in numbers else numbers[0]
    if form.validate_on_submit():
        try:
            deployment, token = services.deploy_model(
                model_id, name=form.name.data or "", viewer=viewer(), **form.wishes()
            )
            session[SHOWN_ONCE] = [deployment.id, token]
            flash(_("The deployment is starting."), "success")
            return redirect(url_for("serving.deployment", deployment_id=deployment.id))
        except DomainError as error:
            form.show(error)
    return render_template(
        "serving/deploy.html", form=form, model=model, machine=services.machine()
    )


@pages.get("/deployments")
def deployment_list() -> str:
    """The deployments one may see, newest first."""
    search = request.args.get("q", "")[:200]
    found = queries.page_of_deployments(
        viewer(), search=search, page=page_number(), per_page=PER_PAGE
    )
    return render_template(
        "serving/deployments.html",
        page=found,
        search=search,
        totals=queries.totals([each.id for each in found.items], timed=monitoring.WAITED_FOR),
        machine=services.machine(),
    )


@pages.get("/deployments/<int:deployment_id>")
def deployment(deployment_id: int) -> str:
    """How a deployment does."""
    found = queries.get_deployment(deployment_id, viewer())
    span = request.args.get("span", "day")
    span = span if span in SPANS else "day"
    back, together = SPANS[span]
    rows = queries.list_hours(found.id, hours=back)
    whole = monitoring.total(rows)
    measured = drift.measure(
        found.version.baseline or {}, queries.drift_bins(found.id, days=DRIFT_DAYS)
    )
    return render_template(
        "serving/deployment.html",
        deployment=found,
        span=span,
        spans=SPANS,
        whole=whole,
        steps=monitoring.step_table(whole),
        charts=charts.monitor(
            monitoring.spans(rows, hours=together), whole, back=back, hours=together
        )
        if whole.n_requests
        else [],
        drifts=measured,
        drift_charts=[charts.drift(each) for each in measured[:N_DRIFT_CHARTS]],
        faults=queries.list_faults(found.id),
        tasks=queries.page_of_tasks(viewer(), deployment_id=found.id, per_page=N_TASKS),
        token=_token_once(found),
        **_rights(found),
    )


@pages.get("/deployments/<int:deployment_id>/state")
def deployment_state(deployment_id: int) -> str:
    """The part of a deployment's page that changes by itself."""
    found = queries.get_deployment(deployment_id, viewer())
    return render_template("serving/_state.html", deployment=found, **_rights(found))


@pages.post("/deployments/<int:deployment_id>/start")
def deployment_start(deployment_id: int) -> Response:
    """Answer again."""
    try:
        services.start_deployment(deployment_id, viewer=viewer())
        flash(_("The deployment is starting."), "success")
    except services.OverReserved as error:
        flash(" ".join([error.message, *(each.message for each in error.problems)]), "warning")
    return _to(deployment_id)


@pages.post("/deployments/<int:deployment_id>/pause")
def deployment_pause(deployment_id: int) -> Response:
    """Stop answering."""
    services.pause_deployment(deployment_id, viewer=viewer())
    flash(_("The deployment is paused: calls are refused, tasks wait."), "success")
    return _to(deployment_id)


@pages.route("/deployments/<int:deployment_id>/settings", methods=["GET", "POST"])
def deployment_settings(deployment_id: int) -> str | Response:
    """Other settings, another version, another script: replaced without a failed request."""
    found = queries.get_deployment(deployment_id, viewer(), right=Right.MANAGE)
    form = SettingsForm(
        data={
            **{name: getattr(found, name) for name in ("replicas", "cpus", "memory_mb")},
            **{name: getattr(found, name) for name in ("timeout_s", "warm_up", "script")},
            "version": found.version.number,
        }
    )
    form.offer([version.number for version in found.model.versions])
    if form.validate_on_submit():
        try:
            services.change_deployment(deployment_id, viewer=viewer(), **form.wishes())
            flash(_("The replicas are replaced one by one; no call is refused."), "success")
            return _to(deployment_id)
        except DomainError as error:
            form.show(error)
    return render_template(
        "serving/deployment_settings.html",
        form=form,
        deployment=found,
        machine=services.machine(besides=found.id),
    )


@pages.post("/deployments/<int:deployment_id>/token")
def deployment_token(deployment_id: int) -> Response:
    """A new token in place of the one before."""
    found, token = services.renew_token(deployment_id, viewer=viewer())
    session[SHOWN_ONCE] = [found.id, token]
    return _to(deployment_id)


@pages.route("/deployments/<int:deployment_id>/delete", methods=["GET", "POST"])
def deployment_delete(deployment_id: int) -> str | Response:
    """Ask, then remove a deployment."""
    found = queries.get_deployment(deployment_id, viewer(), right=Right.MANAGE)
    form = DeleteForm()
    if form.validate_on_submit():
        try:
            services.delete_deployment(deployment_id, viewer=viewer(), force=bool(form.force.data))
            flash(_("The deployment was deleted."), "success")
            return redirect(url_for("serving.deployment_list"))
        except services.TasksOpen as error:
            form.show(error)
    return render_template(
        "serving/deployment_delete.html",
        form=form,
        deployment=found,
        n_open=queries.count_open_tasks(found.id),
    )


@pages.route("/deployments/<int:deployment_id>/test", methods=["GET", "POST"])
def deployment_test(deployment_id: int) -> str | Response:
    """Call a deployment from the page: at once, as a task, or with a file."""
    found = queries.get_deployment(deployment_id, viewer(), right=Right.USE)
    given = TestInput(found.version)
    answer: Any = None
    problems: list[Problem] = []
    if request.method == "POST":
        try:
            records = read_test_input(given)
            if request.form.get("later"):
                task = services.submit(found, records, owner_id=current_user.id)
                return redirect(url_for("serving.task", public_id=task.public_id))
            answer = services.predict(found, records, owner=True)
        except DomainError as error:
            problems = error.problems or [Problem("", error.message)]
    return render_template(
        "serving/deployment_test.html",
        deployment=found,
        version=found.version,
        given=given,
        inputs=fields.inputs_of(found.version),
        outputs=fields.outputs_of(found.version),
        answer=answer,
        problems=problems,
        limits=queries.settings(),
        snippets=snippets.for_deployment(found, given.records or [found.version.sample_record]),
        tasks=queries.page_of_tasks(viewer(), deployment_id=found.id, per_page=N_TASKS),
    )


def _to(deployment_id: int) -> Response:
    return redirect(url_for("serving.deployment", deployment_id=deployment_id))


def _token_once(found: Deployment) -> str:
    """The token that was just made, once."""
    kept = session.pop(SHOWN_ONCE, None)
    return str(kept[1]) if kept and kept[0] == found.id else ""


def _rights(found: Deployment) -> dict[str, Any]:
    return {
        "may_use": queries.may(viewer(), found.model, Right.USE),
        "may_manage": queries.may(viewer(), found.model, Right.MANAGE),
        "in_flight": services.in_flight(found.id),
    }
