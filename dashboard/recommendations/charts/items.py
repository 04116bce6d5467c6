"""Charts about items: likeness, popularity, coverage, and who met what."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.core.i18n import _
from dashboard.core.plots import PALETTE, SCALE, figure, short
from dashboard.recommendations.charts.chart import HEIGHT, Chart
from jobs.engines.collaborative_filtering import ActivityGrid, Coverage, PopularityCurve

# A line through more points than that is drawn through some of them: the eye sees no difference.
MOST_POINTS = 1_500
# People per item, from and to, of the bars of cold items.
COLD = ((0, 0), (1, 4), (5, 19), (20, 99), (100, None))
# Steps of the layout of the graph, and the seed that draws it the same way at every look.
LAYOUT_STEPS, LAYOUT_SEED = 150, 3


def similarity(block: Any, titles: Sequence[str], *, n_all: int) -> Chart:
    """Heat map of the cosine of every two of the most popular items, alike ones side by side."""
    order = clustered(np.asarray(block, dtype=np.float64))
    block = np.asarray(block)[order][:, order]
    titles = [titles[place] for place in order]
    shown = np.array(block, dtype=np.float32)
    # The diagonal is 1 by definition and would take the whole scale.
    np.fill_diagonal(shown, np.nan)
    # Two items of one title must not share a row: rows go by number, titles are only their names.
    places = list(range(len(titles)))
    axis = {"tickvals": places, "ticktext": [short(each) for each in titles]}
    drawn = figure(
        go.Heatmap(
            z=shown,
            customdata=[[[a, b] for b in titles] for a in titles],
            colorscale=[list(step) for step in SCALE],
            colorbar={"title": {"text": _("Similarity")}, "thickness": 12},
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.3f}<extra></extra>",
        ),
        height=640,
        xaxis={**axis, "tickangle": -50},
        yaxis={**axis, "autorange": "reversed"},
    )
    rows = [
        (titles[a], titles[b], round(float(block[a][b]), 6))
        for a in places
        for b in places
        if a < b
    ]
    header = (_("Item"), _("Other item"), _("Similarity"))
    label = _(
        "Similarity of the %(n)s most popular items of %(all)s, clustered", n=len(titles), all=n_all
    )
    return Chart("similarity", label, drawn, header, rows)


def clustered(block: Any) -> list[int]:
    """Places in an order that has alike items side by side (average linkage of 1 - cosine)."""
    if len(block) < 3:
        return list(range(len(block)))
    distance = np.clip(1 - (block + block.T) / 2, 0, 1)
    np.fill_diagonal(distance, 0)
    # Imported late: only this chart needs them.
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    joined = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
    return [int(place) for place in leaves_list(joined)]


def graph(block: Any, titles: Sequence[str], *, n_all: int) -> Chart:
    """The most popular items as points, a line between each and the two most like it."""
    block = np.array(block, dtype=np.float64)
    np.fill_diagonal(block, 0)
    edges = sorted(
        {
            (min(a, int(b)), max(a, int(b)))
            for a in range(len(block))
            for b in np.argsort(-block[a], kind="stable")[:2]
            if block[a][b] > 0
        }
    )
    at = _layout(len(block), edges)
    lines_x: list[float | None] = []
    lines_y: list[float | None] = []
    for a, b in edges:
        lines_x += [at[a][0], at[b][0], None]
        lines_y += [at[a][1], at[b][1], None]
    degree = np.bincount([place for edge in edges for place in edge], minlength=len(block))
    blank = {"visible": False, "fixedrange": False}
    drawn = figure(
        go.Scatter(
            x=lines_x,
            y=lines_y,
            mode="lines",
            line={"color": PALETTE[7], "width": 1},
            opacity=0.5,
            hoverinfo="skip",
            showlegend=False,
        ),
        go.Scatter(
            x=[x for x, _y in at],
            y=[y for _x, y in at],
            mode="markers+text",
            text=[short(title, length=18) for title in titles],
            textposition="top center",
            textfont={"size": 10},
            customdata=list(titles),
            hovertemplate="%{customdata}<extra></extra>",
            marker={"size": [8 + 2 * int(d) for d in degree], "color": PALETTE[0]},
            showlegend=False,
        ),
        height=560,
        xaxis=blank,
        yaxis=blank,
    )
    rows = [(titles[a], titles[b], round(float(block[a][b]), 6)) for a, b in edges]
    label = _(
        "The %(n)s most popular items of %(all)s and what is most like each",
        n=len(titles),
        all=n_all,
    )
    header = (_("Item"), _("Other item"), _("Similarity"))
    return Chart("graph", label, drawn, header, rows)


def popularity(curve: PopularityCurve, titles: Mapping[int, str]) -> Chart:
    """The long tail: people per item, and the share that the items up to here have."""
    places = np.arange(1, len(curve.n_users) + 1, dtype=np.int32)
    drawn_at = _thinned(len(places))
    drawn = figure(
        go.Scatter(
            x=places[drawn_at],
            y=curve.n_users.astype(np.int32)[drawn_at],
            name=_("People"),
            mode="lines",
            fill="tozeroy",
            line={"color": PALETTE[0]},
        ),
        go.Scatter(
            x=places[drawn_at],
            y=(100 * curve.cumulative_share).astype(np.float32)[drawn_at],
            name=_("Share of all interactions (percent)"),
            mode="lines",
            yaxis="y2",
            line={"color": PALETTE[1], "dash": "dot"},
        ),
        height=HEIGHT,
        xaxis={"title": {"text": _("Items, most popular first")}},
        yaxis={"title": {"text": _("People")}, "rangemode": "tozero"},
        # Its own round ticks: in step with the left axis they would read 22.9 and 45.8.
        yaxis2={
            **{"overlaying": "y", "side": "right", "range": [0, 100], "showgrid": False},
            **{"tickmode": "linear", "tick0": 0, "dtick": 20},
        },
    )
    rows = [
        (place, item, titles.get(item, ""), people_, round(share, 6))
        for place, item, people_, share in zip(
            places.tolist(),
            [int(i) for i in curve.item_ids.tolist()],
            curve.n_users.tolist(),
            curve.cumulative_share.tolist(),
            strict=True,
        )
    ]
    header = (_("Place"), _("Item id"), _("Item"), _("People"), _("Cumulative share"))
    label = _("Popularity: the long tail")
    if len(drawn_at) < len(places):
        label = _(
            "Popularity: the long tail, drawn through %(n)s of %(all)s items",
            n=len(drawn_at),
            all=len(places),
        )
    return Chart("popularity", label, drawn, header, rows)


def coverage(found: Coverage) -> Chart:
    """How much of the catalogue has neighbours, and how much is in somebody's list."""
    rows = [
        (_("Items with behaviour"), found.n_items),
        (_("Items with similar items"), found.n_with_neighbours),
        (_("Items in somebody's list"), found.n_listed),
    ]
    drawn = figure(
        go.Bar(
            x=[count for _label, count in rows],
            y=[label for label, _count in rows],
            orientation="h",
            marker={"color": list(PALETTE[:3])},
            text=[count for _label, count in rows],
            textposition="auto",
        ),
        height=260,
        xaxis={"title": {"text": _("Items")}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed"},
    )
    return Chart("coverage", _("Coverage of the catalogue"), drawn, (_("What"), _("Items")), rows)


def cold(people: Mapping[int, int], listed: Mapping[int, int], titles: Mapping[int, str]) -> Chart:
    """Published items by how many people met them, and how many of each group are in a list."""
    groups = {_group_name(low, high): 0 for low, high in COLD}
    shown = dict(groups)
    for item_id in titles:
        count = people.get(item_id, 0)
        name = next(
            _group_name(low, high)
            for low, high in COLD
            if low <= count and (high is None or count <= high)
        )
        groups[name] += 1
        shown[name] += listed.get(item_id, 0) > 0
    drawn = figure(
        go.Bar(x=list(groups), y=list(groups.values()), name=_("Published items")),
        go.Bar(x=list(shown), y=list(shown.values()), name=_("In somebody\u2019s list")),
        height=320,
        barmode="group",
        xaxis={"title": {"text": _("People who met the item")}, "type": "category"},
        yaxis={"title": {"text": _("Items")}, "rangemode": "tozero"},
    )
    rows = [
        (item_id, titles[item_id], people.get(item_id, 0), listed.get(item_id, 0))
        for item_id in sorted(titles, key=lambda each: (people.get(each, 0), each))
        if people.get(item_id, 0) < COLD[2][0]
    ]
    header = (_("Item id"), _("Item"), _("People"), _("Lists"))
    return Chart("cold", _("Cold items: few people met them"), drawn, header, rows)


def activity(grid: ActivityGrid) -> Chart:
    """Who met what, in groups of people and of items: the matrix that everything is learnt from."""
    rows_, columns = grid.share.shape
    drawn = figure(
        go.Heatmap(
            z=(100 * grid.share).astype(np.float32),
            colorscale=[list(step) for step in SCALE],
            colorbar={"title": {"text": "%"}, "thickness": 12},
            hovertemplate="%{z:.2f} %<extra></extra>",
        ),
        height=HEIGHT,
        xaxis={"title": {"text": _("Items, most popular first")}, "showticklabels": False},
        yaxis={
            "title": {"text": _("People, most active first")},
            "showticklabels": False,
            "autorange": "reversed",
        },
    )
    label = _(
        "People and items: %(people)s people in %(rows)s groups, %(items)s items in %(columns)s groups",
        people=int(grid.n_users.sum()),
        rows=rows_,
        items=int(grid.n_items.sum()),
        columns=columns,
    )
    table = [
        (
            row + 1,
            column + 1,
            int(grid.n_users[row]),
            int(grid.n_items[column]),
            round(float(grid.share[row, column]), 6),
        )
        for row in range(rows_)
        for column in range(columns)
    ]
    header = (_("Group of people"), _("Group of items"), _("People"), _("Items"), _("Share"))
    return Chart("activity", label, drawn, header, table)


def _group_name(low: int, high: int | None) -> str:
    if high is None:
        return f"{low}+"
    return str(low) if low == high else f"{low} – {high}"


def _thinned(n: int) -> Any:
    """Places to draw of n, densest at the head, where the line bends."""
    if n <= MOST_POINTS:
        return np.arange(n)
    return np.unique(np.geomspace(1, n, MOST_POINTS).astype(int)) - 1


def _layout(n: int, edges: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """Places in the plane: linked points attract, all others repel (Fruchterman and Reingold 1991)."""
    if not n:
        return []
    at = np.random.default_rng(LAYOUT_SEED).normal(size=(n, 2))
    pull = np.zeros((n, n))
    for a, b in edges:
        pull[a, b] = pull[b, a] = 1
    ideal = 1 / np.sqrt(n)
    for step in range(LAYOUT_STEPS):
        apart = at[:, None] - at[None]
        distance = np.maximum(np.linalg.norm(apart, axis=2), 1e-3)
        force = ideal**2 / distance**2 - pull * distance / ideal
        # A little towards the middle, so that separate parts stay in the picture.
        move = (apart * force[:, :, None]).sum(axis=1) - 0.5 * at
        length = np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9)
        at += move / length * np.minimum(length, 0.2 * (1 - step / LAYOUT_STEPS))
    return [(float(x), float(y)) for x, y in at]
