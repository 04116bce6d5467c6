"""The nine charts: drawn for any number of mutations and samples, aloud about what they leave out."""

import json
from collections.abc import Iterator
from functools import cache

import pytest
from flask import Flask
from flask_babel import Babel

from dashboard.analyses import charts
from jobs.engines import clonal
from jobs.engines.clonal import Clustering


@cache
def clustering(n_mutations: int, n_samples: int) -> Clustering:
    made = clonal.simulate(
        clonal.Experiment(
            n_mutations=n_mutations, n_samples=n_samples, n_clusters=min(3, n_mutations)
        )
    )
    config = clonal.ClusteringConfig(restarts=1, clusters=6, grid=40, precision=200)
    return clonal.cluster(made.table, config)


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app)
    with app.app_context():
        yield


@pytest.mark.parametrize("name", charts.NAMES)
@pytest.mark.parametrize(
    "size", [(1, 1), (3, 2), pytest.param((700, 7), marks=pytest.mark.slow)], ids=str
)
class TestDraw:
    def test_gives_a_figure_that_names_its_clusters(self, name: str, size: tuple[int, int]) -> None:
        result = clustering(*size)

        figure = json.loads(charts.draw(name, result).json)

        clusters = {trace["meta"]["cluster"] for trace in figure["data"] if "meta" in trace}
        assert clusters == set(range(result.n_clusters))

    def test_has_a_table_of_everything(self, name: str, size: tuple[int, int]) -> None:
        header, *rows = charts.table(name, clustering(*size)).splitlines()

        assert rows
        assert all(row.count("\t") == header.count("\t") for row in rows)


class TestNotes:
    def test_say_how_much_is_drawn(self) -> None:
        assert "first 6 of 7 samples" in charts.draw("cluster/scatter", clustering(3, 7)).note
        assert charts.draw("loci/vaf_scatter", clustering(3, 2)).note == ""

    @pytest.mark.slow
    def test_say_how_many_of_very_many_are_drawn(self) -> None:
        note = charts.draw("loci/similarity_matrix", clustering(700, 7)).note

        assert "of 700 mutations" in note

    @pytest.mark.slow
    def test_stay_small(self) -> None:
        for name in charts.NAMES:
            assert len(charts.draw(name, clustering(700, 7)).json) < 400_000
