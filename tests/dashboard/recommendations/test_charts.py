"""Figures are pure: plain results in, plotly and its table out."""

import json

import numpy as np
import pytest
from flask import Flask

from dashboard.activity.models import EventKind
from dashboard.recommendations import charts
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.services import Reason
from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering import Coverage, PopularityCurve
from jobs.engines.collaborative_filtering.mixtures import FIRST_DEMAND

pytestmark = pytest.mark.usefixtures("app")


def row(model: str, value: float) -> dict[str, object]:
    figure = {"value": value, "low": value - 0.1, "high": value + 0.2}
    return {
        **{"model": model, "split": "leave-last-out", "k": 10, "n_users": 7, "coverage": 0.5},
        **{"recall": figure, "ndcg": figure, "map": figure},
    }


class TestServedLabel:
    @pytest.mark.parametrize(
        ("served", "expected"),
        [
            ({"terms": 1.0, "recency": 1.0}, "Similar items (BM25); newest first"),
            (
                {"window": 0.8, "together": 0.2, "recency": 1.0},
                "Viewed soon after 80%, similar items 20%; newest first",
            ),
            (
                {"walk": 1.0, "alpha": 0.7, "beta": 0.3, "recency": 0.5},
                "Random walks (RP3beta) alpha 0.7 beta 0.3; newer items count more",
            ),
            (
                {
                    **{"linear": 1.0, "ridge": 300.0, "recency": 0.0, "floor": 1.0},
                    **{"trend": {"power": 0.75, "half_life_days": 14.0}, "floor_days": 30.0},
                },
                "Linear model (EASE) ridge 300; old items count as new ones; "
                "demand of late to the power 0.75, half-life 14 days; "
                "floor of popular items 1, half of it after 30 days",
            ),
            (
                {"together": 1.0, "floor": 0.3, "floor_days": 0.0},
                "Similar items; old items count as new ones; floor of popular items 0.3",
            ),
            ({}, ""),
        ],
    )
    def test_tells_all_that_was_chosen(self, served: dict[str, object], expected: str) -> None:
        assert charts.served_label({"served": served}) == expected

    def test_knows_every_part_that_a_search_may_mix(self) -> None:
        for mixture in cf.NAMED["auto"]:
            choice = cf.Choice(mixture, FIRST_DEMAND, 0.0)

            assert charts.served_label({"served": choice.parameters()}).count(";") == 3

    def test_of_a_run_without_a_choice_is_empty(self) -> None:
        assert charts.served_label({}) == ""


class TestSimilarity:
    def test_leaves_the_diagonal_out_and_keeps_equal_titles_apart(self) -> None:
        block = np.array([[1, 0.5], [0.5, 1]], dtype=np.float32)

        chart = charts.similarity(block, ["同名", "同名"], n_all=2)

        heat = chart.figure.data[0]
        assert np.isnan(heat.z[0][0])
        assert list(chart.figure.layout.xaxis.tickvals) == [0, 1]
        assert chart.rows == [("同名", "同名", 0.5)]
        assert block[0, 0] == 1


class TestPopularity:
    def test_draws_people_and_their_share(self) -> None:
        curve = PopularityCurve(
            item_ids=np.array([7, 9]),
            n_users=np.array([3, 1]),
            cumulative_share=np.array([0.75, 1.0]),
        )

        chart = charts.popularity(curve, {7: "Word"})

        assert chart.rows == [(1, 7, "Word", 3, 0.75), (2, 9, "", 1, 1.0)]
        assert len(chart.figure.data) == 2

    def test_draws_100_000_items_through_some_and_says_so(self) -> None:
        n = 100_000
        counts = np.arange(n, 0, -1)
        curve = PopularityCurve(
            item_ids=np.arange(n), n_users=counts, cumulative_share=np.cumsum(counts) / counts.sum()
        )

        chart = charts.popularity(curve, {})

        drawn = len(chart.figure.data[0].x)
        assert drawn <= 1_500
        assert f"drawn through {drawn} of 100000 items" in chart.label
        assert len(chart.rows) == n


class TestCoverage:
    def test_counts_items(self) -> None:
        chart = charts.coverage(Coverage(n_items=10, n_with_neighbours=8, n_listed=4))

        assert [count for _label, count in chart.rows] == [10, 8, 4]


class TestMetrics:
    def test_shows_the_baseline_with_its_interval(self) -> None:
        chart = charts.metrics([row("popularity", 0.14), row("blend with trend", 0.48)])

        bars = chart.figure.data[0]
        assert list(bars.x) == ["Popularity (baseline)", "Served model"]
        assert list(bars.error_y.array) == pytest.approx([0.2, 0.2])

    def test_is_empty_without_rows(self) -> None:
        assert charts.metrics([]).rows == []


class TestMetricsOverRuns:
    def test_draws_served_and_baseline_over_runs(self) -> None:
        runs = [
            TrainingRun(
                id=n, metrics=[row("popularity", 0.1), row("blend with trend", 0.3 + n / 10)]
            )
            for n in (1, 2)
        ]

        chart = charts.metrics_over_runs(runs)

        assert [list(line.x) for line in chart.figure.data] == [["#1", "#2"], ["#1", "#2"]]
        assert len(chart.rows) == 4


class TestPeople:
    def test_counts_people_by_similar_people(self) -> None:
        chart = charts.people(np.array([0, 5, 12, 500]))

        assert chart.rows[:2] == [("0 – 9", 2), ("10 – 19", 1)]
        assert sum(count for _range, count in chart.rows) == 4

    def test_takes_nobody(self) -> None:
        assert charts.people(np.array([], dtype=int)).rows == [("0 – 9", 0)]


class TestContributions:
    def test_is_one_bar_a_signal(self, app: Flask) -> None:
        reasons = [
            Reason(1, "Word", EventKind.VIEW, 0.75),
            Reason(2, "Excel", EventKind.WATCH, 0.25),
        ]

        chart = charts.contributions(reasons)

        assert chart.rows == [("Word", 75.0), ("Excel", 25.0)]
        assert json.loads(chart.json)["data"][0]["type"] == "bar"
