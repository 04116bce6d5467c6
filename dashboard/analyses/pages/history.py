"""The workspace, and the history of one's analyses with what can be done to each."""

from datetime import date, datetime, time, timedelta

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_security import current_user
from werkzeug.wrappers import Response

from dashboard.analyses import labels, queries, services
from dashboard.analyses.models import AnalysisState
from dashboard.analyses.pages.blueprint import (
    expected_for,
    is_owner,
    pages,
    same_query,
    status_for,
    viewer,
)
from dashboard.analyses.queries import Entry, Wanted
from dashboard.core.encryption import seal, unseal
from dashboard.core.errors import Conflict, wants_json
from dashboard.core.i18n import _
from dashboard.job_queue.queries import Viewer, runner_alive

PER_PAGE = 20
MAX_PAGE = 1_000_000
N_RECENT = 5
MAX_NAME = 200
MAX_SEALED = 2_000


@pages.get("/workspace")
def workspace() -> str:
    """Two things to do: upload, look at what was."""
    own = Viewer(user_id=current_user.id)
    recent = queries.page_of_entries(own, per_page=N_RECENT).items
    return render_template(
        "analyses/workspace.html",
        recent=recent,
        statuses={entry.upload.id: status_for(entry) for entry in recent},
        n_unseen=queries.count_unseen(current_user.id),
    )


@pages.get("/history_list")
def history() -> str | Response:
    """Everything uploaded, last touched first; administrators see all of it, masked."""
    number, wanted = min(request.args.get("page", 1, type=int), MAX_PAGE), _wanted()
    found = queries.page_of_entries(viewer(), wanted, page=number, per_page=PER_PAGE)
    if wants_json():
        return jsonify(
            items=[as_json(entry) for entry in found.items],
            page=found.page,
            per_page=found.per_page,
            total=found.total,
        )
    return render_template(
        "analyses/history.html",
        page=found,
        statuses={entry.upload.id: status_for(entry) for entry in found.items},
        expected={entry.upload.id: expected_for(entry) for entry in found.items},
        owned={entry.upload.id for entry in found.items if is_owner(entry)},
        new=request.args.get("new", 0, type=int),
        name=wanted.name,
        narrowed=any(request.args.get(name) for name in (*FILTERS, SEALED_NAME)),
        engines=labels.ENGINES,
        n_done=sum(entry.state is AnalysisState.DONE for entry in found.items),
        alive=runner_alive(),
    )


@pages.post("/history_list", endpoint="history_search")
def search() -> Response:
    """Show what the form asks for; a name goes on sealed, because logs keep addresses."""
    given = {name: request.form[name] for name in FILTERS if request.form.get(name)}
    name = given.pop("name", "")[:MAX_NAME].strip()
    if name:
        # For this reader alone: who finds the address in a log cannot have it opened.
        given[SEALED_NAME] = seal(f"{current_user.id}:{name}")
    return redirect(url_for("analyses.history", **given), code=303)  # type: ignore[arg-type]


@pages.get("/historylist", endpoint="history_alias")
def other_spelling() -> Response:
    """The documents spell it both ways."""
    return redirect(same_query("analyses.history"), code=308)


@pages.post("/analyses/<int:upload_id>/cancel")
def cancel(upload_id: int) -> Response:
    """End a run."""
    try:
        services.cancel_analysis(upload_id, viewer=viewer())
        flash(_("The analysis is being cancelled."), "success")
    except Conflict as error:
        flash(error.message, "warning")
    return redirect(url_for("analyses.history"))


@pages.post("/analyses/<int:upload_id>/retry")
def retry(upload_id: int) -> Response:
    """Queue a failed or cancelled run again."""
    try:
        services.retry_analysis(upload_id, viewer=viewer())
        flash(_("The analysis is queued again, with the same recipe."), "success")
    except Conflict as error:
        flash(error.message, "warning")
    return redirect(url_for("analyses.history", new=upload_id))


@pages.get("/analyses/<int:upload_id>/delete", endpoint="delete_question")
def ask(upload_id: int) -> str:
    """Ask before an upload and its results are deleted."""
    queries.require_own(upload_id, viewer())
    entry = queries.get_entry(upload_id, viewer())
    return render_template(
        "analyses/delete.html", entry=entry, n_runs=len(queries.list_runs(upload_id))
    )


@pages.post("/analyses/<int:upload_id>/delete")
def delete(upload_id: int) -> Response:
    """Delete an upload with its tables and results."""
    try:
        services.delete_upload(upload_id, viewer=viewer())
        flash(_("The analysis was deleted."), "success")
    except Conflict as error:
        flash(error.message, "warning")
    return redirect(url_for("analyses.history"))


FILTERS = ("state", "name", "sample", "engine", "from", "to")
SEALED_NAME = "who"


def as_json(entry: Entry) -> dict[str, object]:
    """An entry for programs, masked like the page."""
    upload, run = entry.upload, entry.run
    done = entry.state is AnalysisState.DONE
    return {
        "load_id": upload.id,
        "run_id": run.id if run else None,
        "state": entry.state.value,
        "state_label": entry.state_label,
        "patient": upload.name_mask,
        "age": upload.age_band,
        "samples": upload.labels,
        "touched_at": f"{upload.touched_at.isoformat(timespec='seconds')}Z",
        "progress": entry.job.progress if entry.job else None,
        "result": url_for("analyses.result", load_id=upload.id) if done else None,
    }


def _wanted() -> Wanted:
    state = request.args.get("state", "")
    return Wanted(
        state=AnalysisState(state) if state in {each.value for each in AnalysisState} else None,
        name=_wanted_name(),
        sample=request.args.get("sample", "")[:40].strip(),
        engine=request.args.get("engine", "")[:20],
        since=_day(request.args.get("from", "")),
        until=_day(request.args.get("to", ""), end=True),
    )


def _wanted_name() -> str:
    """The name to look for: sealed by the form, in the clear from a program."""
    sealed = unseal(request.args.get(SEALED_NAME, "")[:MAX_SEALED]) or ""
    reader, _colon, name = sealed.partition(":")
    if reader == str(current_user.id):
        return name
    return request.args.get("name", "")[:MAX_NAME].strip()


def _day(text: str, *, end: bool = False) -> datetime | None:
    try:
        day = datetime.combine(date.fromisoformat(text), time.min)
        return day + timedelta(days=1) if end else day
    except (ValueError, OverflowError):
        return None
