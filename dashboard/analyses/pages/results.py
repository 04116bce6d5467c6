"""A result: nine plots, tables, recipe, report; the same for who has a link to it."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.analyses import charts, queries, services
from dashboard.analyses.models import AnalysisState, Run
from dashboard.analyses.pages.blueprint import (
    expected_for,
    is_owner,
    pages,
    same_query,
    status_for,
    viewer,
    wanted_id,
    wanted_run,
)
from dashboard.analyses.queries import Entry
from dashboard.core.database import session
from dashboard.core.errors import Conflict, Invalid, NotFound, wants_json
from dashboard.core.i18n import _, current_language
from dashboard.job_queue import queries as job_queue
from dashboard.job_queue.models import Job
from dashboard.job_queue.result_pages import show_results_at

FORMS = "json,tsv,svg,png,pdf"
MIME = {
    "json": "application/json",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
}
TABLES = {"cluster": "tables/cluster.tsv", "loci": "tables/loci.tsv"}


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a result are, for its owner or for who has a link."""

    run_id: int
    token: str = ""

    def plot(self, name: str, form: str, **more: Any) -> str:
        group, _slash, plot = name.partition("/")
        return self._to("plot", group=group, plot_name=plot, form=form, **more)

    def table(self, name: str) -> str:
        return self._to("table", table_name=name)

    def report(self, **more: Any) -> str:
        return self._to("report", **more)

    def recipe(self) -> str:
        return self._to("recipe")

    def _to(self, endpoint: str, **values: Any) -> str:
        if self.token:
            return url_for(f"analyses.shared_{endpoint}", token=self.token, **values)
        return url_for(f"analyses.{endpoint}", run_id=self.run_id, **values)


@pages.get("/Analysis_result")
def result() -> str | AnyResponse:
    """The result of an upload's latest run, or of the one that the address names; its state before the end."""
    number = wanted_id()
    if number is None:
        raise NotFound()
    entry = queries.get_entry(number, viewer())
    run_id = wanted_run()
    if run_id is not None:
        entry = queries.entry_of(queries.get_run_of(number, run_id, viewer()))
    if wants_json():
        return jsonify(result_json(entry))
    if entry.run is None and is_owner(entry):
        return redirect(url_for("analyses.upload", load_id=number))
    return _page(entry)


@pages.get("/analysis_result", endpoint="result_alias")
def lower_case() -> AnyResponse:
    """The same address in lower case."""
    return redirect(same_query("analyses.result"), code=308)


def _page(entry: Entry, *, revealed: services.Revealed | None = None, link: str = "") -> str:
    run, own = entry.run, is_owner(entry)
    done = run is not None and entry.state is AnalysisState.DONE
    return render_template(
        "analyses/result.html",
        entry=entry,
        own=own,
        status=status_for(entry),
        expected=expected_for(entry),
        events=job_queue.list_events(entry.job) if entry.job else [],
        runs=queries.list_runs(entry.upload.id),
        note=services.note_of(entry.upload) if own else "",
        revealed=revealed,
        reveals=queries.list_reveals(entry.upload.id) if own else [],
        link=link,
        links=queries.list_links(run.id) if run and own else [],
        others=_others(entry) if own and done else [],
        **(parts_of(run, Addresses(run.id)) if done and run else {}),
    )


def parts_of(run: Run, where: Addresses) -> dict[str, Any]:
    """What the page of a finished run shows."""
    found = services.load_result(run)
    return {
        "where": where,
        "names": charts.NAMES,
        "clusters": [
            {"number": k, "size": size, "style": charts.style_of(k)}
            for k, size in enumerate(found.sizes.tolist())
        ],
        "cluster_rows": found.cluster_rows(),
        "artefacts": queries.list_artefacts(run.id),
    }


def _others(entry: Entry) -> list[Entry]:
    own = queries.list_done_runs(viewer())
    return [other for other in own if other.run and entry.run and other.run.id != entry.run.id]


def result_json(entry: Entry) -> dict[str, Any]:
    """The addresses of everything that a run made, for programs."""
    run = entry.run
    found: dict[str, Any] = {
        "load_id": entry.upload.id,
        "run_id": run.id if run else None,
        "state": entry.state.value,
        "state_label": entry.state_label,
    }
    if run is None or entry.state is not AnalysisState.DONE:
        return found
    where = Addresses(run.id)
    return found | {
        "summary": run.summary,
        "tables": {name: where.table(name) for name in TABLES},
        "plots": {
            name: {form: where.plot(name, form) for form in FORMS.split(",")}
            for name in charts.NAMES
        },
        "report": where.report(),
        "recipe": where.recipe(),
    }


# ---------------------------------------------------------------------------------------- the parts of a result


@pages.get("/analyses/runs/<int:run_id>/tables/<any(cluster,loci):table_name>.tsv")
def table(run_id: int, table_name: str) -> AnyResponse:
    """A table in PyClone's columns."""
    return send_table(queries.get_run(run_id, viewer()), table_name)


@pages.get(
    f"/analyses/runs/<int:run_id>/plots/<any(cluster,loci):group>/<plot_name>.<any({FORMS}):form>"
)
def plot(run_id: int, group: str, plot_name: str, form: str) -> AnyResponse:
    """A plot as a figure for the page, a picture, or its data."""
    return send_plot(queries.get_run(run_id, viewer()), f"{group}/{plot_name}", form)


@pages.get("/analyses/runs/<int:run_id>/report.pdf")
def report(run_id: int) -> AnyResponse:
    """Everything in one PDF."""
    return send_report(queries.get_run(run_id, viewer()))


@pages.get("/analyses/runs/<int:run_id>/recipe.json")
def recipe(run_id: int) -> AnyResponse:
    """What it takes to get the same again."""
    return send_recipe(queries.get_run(run_id, viewer()))


def send_table(run: Run, name: str) -> AnyResponse:
    """A table for download, exact: programs read it."""
    content = services.artefact_path(run, TABLES[name]).read_bytes()
    return _download(content, f"analysis-{run.id}-{name}.tsv", "tsv")


def send_plot(run: Run, name: str, form: str) -> AnyResponse:
    """One of the nine in one of five forms. Raises NotFound for another name."""
    if name not in charts.NAMES:
        raise NotFound()
    found = services.load_result(run)
    if form == "json":
        drawn = charts.draw(name, found)
        text = f'{{"figure": {drawn.json}, "note": {_quoted(drawn.note)}}}'
        return _private(Response(text, mimetype=MIME[form]))
    if form == "tsv":
        content: bytes = charts.table(name, found).encode()
    else:
        content = services.picture(run, name, form=form, language=current_language())
    return _download(content, f"analysis-{run.id}-{name.replace('/', '-')}.{form}", form)


def send_report(run: Run) -> AnyResponse:
    """The report, to be looked at in a tab of its own."""
    return _download(
        services.report(run, language=current_language()), f"analysis-{run.id}-report.pdf", "pdf"
    )


def send_recipe(run: Run) -> AnyResponse:
    """The recipe for download."""
    if run.outcome != AnalysisState.DONE:
        raise Conflict(_("This analysis has no result yet."))
    response = jsonify(run.recipe)
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"analysis-{run.id}-recipe.json"
    )
    return response


def _download(content: bytes, name: str, form: str) -> AnyResponse:
    response = Response(content, mimetype=MIME[form])
    # A PDF is looked at in the browser unless a download is asked for.
    shown = form == "pdf" and "download" not in request.args
    response.headers.set("Content-Disposition", "inline" if shown else "attachment", filename=name)
    return _private(response)


def _private(response: AnyResponse) -> AnyResponse:
    """May be kept by this browser, asked about again each time, and never acts as a page of ours."""
    response.headers["Cache-Control"] = "private, no-cache"
    # Safari shows no PDF in a sandbox; what we draw holds no script.
    box = "" if response.mimetype == MIME["pdf"] else "; sandbox"
    policy = f"default-src 'none'; style-src 'unsafe-inline'{box}"
    response.headers["Content-Security-Policy"] = policy
    response.add_etag()
    return response.make_conditional(request)


def _quoted(text: str) -> str:
    return json.dumps(text)


# ------------------------------------------------------------------------------------------- more to be done with it


@pages.post("/analyses/runs/<int:run_id>/reproduce")
def reproduce(run_id: int) -> AnyResponse:
    """Run the recipe again; the result says whether it is the same."""
    try:
        run = services.reproduce_analysis(run_id, viewer=viewer())
    except Conflict as error:
        flash(error.message, "warning")
        return redirect(_address_of(queries.get_run(run_id, viewer())))
    flash(_("The recipe runs again. Its page will say whether the result is the same."), "success")
    return redirect(url_for("analyses.history", new=run.upload_id))


@pages.post("/analyses/runs/<int:run_id>/seen")
def seen(run_id: int) -> tuple[str, int]:
    """The owner has looked."""
    services.mark_seen(run_id, viewer=viewer())
    return "", 204


@pages.get("/analyses/compare")
def compare() -> str:
    """Two runs side by side."""
    first, second = (request.args.get(name, 0, type=int) for name in ("first", "second"))
    entries = [queries.entry_of(queries.get_run(number, viewer())) for number in (first, second)]
    failure, found = "", None
    try:
        found = services.compare_runs(first, second, viewer=viewer())
    except Conflict as error:
        failure = error.message
    return render_template("analyses/compare.html", entries=entries, found=found, failure=failure)


def _address_of(run: Run, **more: Any) -> str:
    return url_for("analyses.result", load_id=run.upload_id, run=run.id, **more)


def _page_of_job(job: Job) -> str | None:
    run = session.get(Run, job.args["run_id"])
    return _address_of(run) if run else None


show_results_at("analyses.run", _page_of_job)


@pages.post("/analyses/<int:upload_id>/reveal")
def reveal(upload_id: int) -> str | AnyResponse:
    """Show the owner what is behind the masks, once, for a reason that is noted."""
    entry = queries.get_entry(upload_id, viewer())
    try:
        revealed = services.reveal_fields(
            upload_id,
            viewer=viewer(),
            reason=request.form.get("reason", ""),
            address=request.remote_addr or "",
        )
    except Invalid as error:
        flash(error.problems[0].message if error.problems else error.message, "warning")
        return redirect(url_for("analyses.result", load_id=upload_id))
    return _page(entry, revealed=revealed)


@pages.post("/analyses/runs/<int:run_id>/share")
def share(run_id: int) -> str:
    """Make a link to a result; it is shown this once."""
    run = queries.get_run(run_id, viewer())
    token = services.share_result(run_id, viewer=viewer())
    link = url_for("analyses.shared", token=token, _external=True)
    return _page(queries.entry_of(run), link=link)


@pages.post("/analyses/links/<int:link_id>/revoke")
def revoke(link_id: int) -> AnyResponse:
    """End a link."""
    link = services.revoke_link(link_id, viewer=viewer())
    flash(_("The link no longer works."), "success")
    run = queries.get_run(link.run_id, viewer())
    return redirect(_address_of(run, _anchor="share"))
