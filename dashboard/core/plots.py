"""Plotly for every domain: one theme, figures as JSON, and exports a spreadsheet cannot be tricked by.

Light and dark colours are set in the browser (static/src/islands), so a figure carries none of its own
beyond the palette of its traces.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from dashboard.core.cells import safe_cell

THEME = "atrium"
# The faces of the pages; the Chinese ones so that 中文 is not boxes in an exported picture.
FONTS = 'system-ui, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
# Distinct for colour-blind readers (Okabe and Ito 2008), and readable on both themes.
PALETTE = ("#0e7c86", "#d55e00", "#5b6ee1", "#b8860b", "#009e73", "#cc79a7", "#56a0d3", "#7a7a7a")
# From pale to the palette's first colour: a heat map reads in print as well.
SCALE = ((0.0, "#eef4f3"), (0.25, "#b5d8d6"), (0.5, "#6fb4b3"), (0.75, "#2d8c90"), (1.0, "#0a4f57"))
TRANSPARENT = "rgba(0,0,0,0)"


def figure(*traces: Any, **layout: Any) -> go.Figure:
    """A figure in the portal's theme; `layout` is plotly's."""
    built = go.Figure(data=list(traces))
    built.update_layout(template=_template(), **layout)
    return built


def figure_json(built: go.Figure) -> str:
    """The figure for the macro `chart`: plotly's JSON, drawn by the browser."""
    return str(built.to_json())


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table for spreadsheets: UTF-8 with a byte order mark, text that begins a formula disarmed."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe_cell(name) for name in header])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    # Without the mark Excel reads Chinese titles as Latin-1.
    return "\ufeff" + out.getvalue()


def json_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The same table for programs: a list of objects, nothing disarmed."""
    return json.dumps([dict(zip(header, row, strict=True)) for row in rows], ensure_ascii=False)


def short(text: str, *, length: int = 28) -> str:
    """`text` cut to fit an axis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _template() -> go.layout.Template:
    if THEME not in pio.templates:
        pio.templates[THEME] = go.layout.Template(
            layout={
                "font": {"family": FONTS, "size": 13},
                "colorway": list(PALETTE),
                "colorscale": {"sequential": [list(step) for step in SCALE]},
                "paper_bgcolor": TRANSPARENT,
                "plot_bgcolor": TRANSPARENT,
                "margin": {"l": 56, "r": 16, "t": 16, "b": 48},
                "xaxis": {"automargin": True, "zeroline": False},
                "yaxis": {"automargin": True, "zeroline": False},
                "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
                "hoverlabel": {"align": "left"},
            }
        )
    return pio.templates[THEME]
