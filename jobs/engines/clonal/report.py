"""One PDF of a result: summary, recipe, the nine plots, the table of clusters; English or Chinese."""

import io
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.lines import Line2D

from jobs.engines.clonal import canvas
from jobs.engines.clonal.canvas import LINE, MUTED, label, new_figure, notes_of
from jobs.engines.clonal.figure_texts import Language, text
from jobs.engines.clonal.figures import PLOTS, make_figure
from jobs.engines.clonal.result import Clustering

A4 = (8.27, 11.69)
LEFT = 0.08
LINES_PER_PAGE = 58
ROWS_PER_PAGE = 44
MOST_TABLE_PAGES = 5
LINE_CHARACTERS = 92

Facts = Sequence[tuple[str, str]]


def report_pdf(
    result: Clustering,
    recipe: dict[str, Any],
    *,
    language: Language = "en",
    title: str = "",
    facts: Facts = (),
    tick: Callable[[float], None] = lambda _: None,
) -> bytes:
    """The report as the bytes of a PDF; the same result gives the same.

    title, facts: what the portal adds at the top (already masked), as (name, value). Where no font has
    Chinese characters the report is in English and says so. tick may raise to cancel."""
    out = io.BytesIO()
    spoken = canvas.spoken(language)
    with PdfPages(out, metadata=canvas.METADATA["pdf"]) as pages:
        # The lock of the theme is given back between pages, so that single plots need not wait.
        sections = [
            (text("summary", spoken), [*facts, *_summary(result, spoken)]),
            (text("recipe", spoken), _recipe(recipe, spoken)),
        ]
        heading = title or text("report", spoken)
        for lines in _pages_of(_lines(sections)):
            _save(pages, partial(_text_page, heading, lines, spoken, language))
        for number, plot in enumerate(PLOTS):
            tick(number / (len(PLOTS) + 1))
            _save(pages, partial(make_figure, result, plot, language=language))
        for rows, note in _tables(result, spoken):
            _save(pages, partial(_table_page, rows, note, spoken))
    return out.getvalue()


def _save(pages: Any, make: Callable[[], Any]) -> None:
    with canvas.drawing():
        figure = make()
        FigureCanvasPdf(figure)
        pages.savefig(figure, facecolor="white")


def _summary(result: Clustering, language: Language) -> Facts:
    model, table = result.model, result.table
    facts = [
        ("n_mutations", f"{table.n_mutations:,}"),
        ("n_samples", f"{table.n_samples}: " + ", ".join(label(name) for name in table.samples)),
        ("n_clusters", str(result.n_clusters)),
        ("density", str(model.density)),
        ("precision", f"{model.precision:g}" if model.density == "beta-binomial" else "-"),
        ("elbo", "-" if math.isnan(result.elbo) else f"{result.elbo:,.3f}"),
        ("seed", str(result.config.seed)),
    ]
    return [(text(name, language), value) for name, value in facts]


def _recipe(recipe: dict[str, Any], language: Language) -> Facts:
    facts = [
        (text("engine", language), f"{recipe.get('engine', '')} {recipe.get('engine_version', '')}")
    ]
    for entry in recipe.get("inputs", ()):
        value = f"{label(str(entry['name']))}, sha256 {entry['sha256']}"
        facts.append((text("inputs", language), value))
    for key in ("parameters", "libraries"):
        values = recipe.get(key) or {}
        facts.append((text(key, language), ", ".join(f"{k} = {v}" for k, v in values.items())))
    return facts


def _lines(sections: Sequence[tuple[str, Facts]]) -> list[tuple[str, str]]:
    """(kind, text) for each line: a heading, or a fact cut to the width of the page."""
    lines = []
    for heading, facts in sections:
        lines.append(("heading", heading))
        for name, value in facts:
            lines += [("fact", part) for part in _wrapped(f"{name}: {value}")]
        lines.append(("fact", ""))
    return lines


def _wrapped(line: str) -> list[str]:
    """The line in parts that fit; Chinese characters count twice, and words may be cut."""
    parts, width = [""], 0
    for character in line:
        width += 1 if ord(character) < 0x2E80 else 2
        if width > LINE_CHARACTERS:
            parts, width = [*parts, "    "], 5
        parts[-1] += character
    return parts


def _pages_of(lines: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    return [lines[at : at + LINES_PER_PAGE] for at in range(0, len(lines), LINES_PER_PAGE)]


def _text_page(
    title: str, lines: list[tuple[str, str]], language: Language, wanted: Language
) -> Any:
    figure = new_figure(*A4, title="", notes=notes_of(language, wanted, notes=[]))
    figure.text(LEFT, 0.955, title, fontsize=17, weight="bold", va="top")
    top = 0.915
    for number, (kind, line) in enumerate(lines):
        is_heading = kind == "heading"
        figure.text(
            LEFT,
            top - number * 0.0148,
            line,
            fontsize=11 if is_heading else 8.5,
            weight="bold" if is_heading else "normal",
            va="top",
        )
    return figure


def _tables(result: Clustering, language: Language) -> list[tuple[list[list[str]], str]]:
    """Pages of rows of the cluster table, each with a note below; of very many only the first."""
    rows = [
        [str(cluster), label(sample), f"{size:,}", f"{mean:.4f}", f"{std:.4f}"]
        for sample, cluster, size, mean, std in result.cluster_rows()
    ]
    pages = [rows[at : at + ROWS_PER_PAGE] for at in range(0, len(rows), ROWS_PER_PAGE)]
    left = sum(map(len, pages[MOST_TABLE_PAGES:]))
    shown = [(page, "") for page in pages[:MOST_TABLE_PAGES]]
    if left:
        shown[-1] = (shown[-1][0], text("more_rows", language, n=f"{left:,}"))
    return shown


def _table_page(rows: list[list[str]], note: str, language: Language) -> Any:
    figure = new_figure(*A4, title="", notes=[note] if note else [])
    figure.text(LEFT, 0.955, text("clusters_table", language), fontsize=14, weight="bold", va="top")
    heads = [text(key, language) for key in ("cluster", "sample", "size", "mean", "std")]
    places = (LEFT, 0.2, 0.56, 0.72, 0.88)
    for number, cells in enumerate([heads, *rows]):
        y = 0.915 - number * 0.0195
        for column, (x, cell) in enumerate(zip(places, cells, strict=True)):
            figure.text(
                x,
                y,
                cell,
                fontsize=8.5,
                va="top",
                ha="left" if column < 2 else "right",
                weight="bold" if number == 0 else "normal",
                color=MUTED if number == 0 else "black",
            )
        figure.add_artist(_rule(y - 0.0155))
    return figure


def _rule(y: float) -> Any:
    return Line2D([LEFT, 0.9], [y, y], color=LINE, linewidth=0.5)
