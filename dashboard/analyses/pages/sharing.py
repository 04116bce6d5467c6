"""A result for who has a link to it: masked, without the uploads, until the link ends."""

from flask import render_template
from werkzeug.wrappers import Response as AnyResponse

from dashboard.analyses import queries
from dashboard.analyses.pages.blueprint import pages
from dashboard.analyses.pages.results import (
    FORMS,
    Addresses,
    parts_of,
    send_plot,
    send_recipe,
    send_report,
    send_table,
)


@pages.get("/shared/<token>")
def shared(token: str) -> str:
    """The shared result."""
    run = queries.find_shared(token)
    return render_template(
        "analyses/shared.html",
        entry=queries.entry_of(run),
        **parts_of(run, Addresses(run.id, token)),
    )


@pages.get("/shared/<token>/tables/<any(cluster,loci):table_name>.tsv")
def shared_table(token: str, table_name: str) -> AnyResponse:
    """A table of a shared result."""
    return send_table(queries.find_shared(token), table_name)


@pages.get(f"/shared/<token>/plots/<any(cluster,loci):group>/<plot_name>.<any({FORMS}):form>")
def shared_plot(token: str, group: str, plot_name: str, form: str) -> AnyResponse:
    """A plot of a shared result."""
    return send_plot(queries.find_shared(token), f"{group}/{plot_name}", form)


@pages.get("/shared/<token>/report.pdf")
def shared_report(token: str) -> AnyResponse:
    """The report of a shared result."""
    return send_report(queries.find_shared(token))


@pages.get("/shared/<token>/recipe.json")
def shared_recipe(token: str) -> AnyResponse:
    """The recipe of a shared result."""
    return send_recipe(queries.find_shared(token))
