"""The nine plots as files, and the colours that the page shares with them."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from jobs.engines.clonal import (
    PALETTE,
    Clustering,
    ClusteringConfig,
    canvas,
    cluster,
    cluster_style,
    figures,
)
from tests.jobs.engines.clonal.tables import make_table

NAMES = {
    "cluster": {"density", "parallel_coordinates", "scatter"},
    "loci": {
        "density",
        "parallel_coordinates",
        "scatter",
        "similarity_matrix",
        "vaf_parallel_coordinates",
        "vaf_scatter",
    },
}
QUICK = ClusteringConfig(restarts=1, precision=200, clusters=4)
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


def clustered(n: int, n_samples: int = 2) -> Clustering:
    """Two groups of mutations, 20 and 45 of 100 reads."""
    rows = [[(80, 20) if row % 2 else (55, 45)] * n_samples for row in range(n)]
    return cluster(make_table(rows), QUICK)


@pytest.fixture(scope="module")
def result() -> Clustering:
    return clustered(30)


@pytest.fixture(scope="module")
def many() -> Clustering:
    """A result of 20,000 mutations: that of 20, each a thousand times."""
    few = clustered(20)
    rows = np.arange(20_000) % 20
    return replace(
        few,
        table=few.table.rows(rows),
        labels=few.labels[rows],
        responsibilities=few.responsibilities[rows],
        sizes=few.sizes * 1_000,
    )


def words(svg: bytes) -> str:
    """All the text of a picture; fails where it is not well-formed."""
    return " ".join(ElementTree.fromstring(svg).itertext())


class TestDrawFigure:
    @pytest.mark.parametrize("plot", figures.PLOTS)
    def test_gives_well_formed_svg_with_title_and_axis(self, result: Clustering, plot: str) -> None:
        shown = words(figures.draw_figure(result, plot))

        assert plot.split("/")[1].rsplit("_", maxsplit=1)[-1].lower()[:5] in shown.lower()
        assert "Cellular prevalence" in shown or "VAF" in shown or "sharing" in shown

    @pytest.mark.parametrize("format", ["png", "pdf"])
    def test_gives_other_formats(self, result: Clustering, format: str) -> None:
        assert figures.draw_figure(result, "loci/scatter", format=format).startswith(MAGIC[format])

    @pytest.mark.parametrize("format", figures.FORMATS)
    def test_gives_the_same_bytes_again(self, result: Clustering, format: str) -> None:
        first, second = (
            figures.draw_figure(result, "cluster/scatter", format=format) for _ in range(2)
        )

        assert first == second

    def test_speaks_chinese_where_a_font_has_it(self, result: Clustering) -> None:
        shown = words(figures.draw_figure(result, "cluster/density", language="zh"))

        assert ("细胞占比" in shown) == (canvas.chinese_font() is not None)

    def test_says_in_english_that_there_is_no_chinese_font(
        self, result: Clustering, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(canvas, "chinese_font", lambda: None)

        shown = words(figures.draw_figure(result, "cluster/density", language="zh"))

        assert "Cellular prevalence" in shown
        assert "No font with Chinese characters" in shown

    def test_bears_names_made_to_break_it(self) -> None:
        ids = [
            "<script>alert(1)</script>",
            "$x_{",
            "_hidden",
            "a\x01b\ufffe",
            "名" * 200,
            "\u202egnp",
        ]
        table = make_table([[(80, 20)]] * len(ids), ids=ids)

        shown = words(figures.draw_figure(cluster(table, QUICK), "loci/density"))

        assert "<script>alert(1)</scrip" in shown
        assert "$x_{" in shown
        assert "_hidden" in shown

    @pytest.mark.parametrize(("n", "n_samples"), [(1, 1), (2, 3)])
    def test_draws_the_smallest_tables(self, n: int, n_samples: int, tmp_path: Path) -> None:
        paths = figures.write_figures(clustered(n, n_samples), tmp_path)

        assert all(words(path.read_bytes()) for path in paths)

    def test_leaves_samples_out_of_a_triangle_that_would_be_too_large(self) -> None:
        shown = words(figures.draw_figure(clustered(3, 7), "cluster/scatter"))

        assert "the first 6 of 7 samples are drawn" in shown

    @pytest.mark.parametrize("format", ["html", "../x"])
    def test_knows_no_other_format(self, result: Clustering, format: str) -> None:
        with pytest.raises(KeyError):
            figures.draw_figure(result, "cluster/density", format=format)


class TestDrawFigureOfManyMutations:
    @pytest.mark.parametrize("plot", [name for name in figures.PLOTS if name.startswith("loci/")])
    def test_draws_a_part_and_says_so(self, many: Clustering, plot: str) -> None:
        picture = figures.draw_figure(many, plot)

        assert "of 20,000 mutations are drawn" in words(picture)
        assert len(picture) < 1_500_000
        height = float(ElementTree.fromstring(picture).attrib["height"].removesuffix("pt")) / 72
        assert height < 16


class TestWriteFigures:
    def test_writes_nine_files_under_the_names_of_pyclone(
        self, result: Clustering, tmp_path: Path
    ) -> None:
        figures.write_figures(result, tmp_path)

        found = {
            kind: {path.stem for path in (tmp_path / kind).glob("*.svg")}
            for kind in ("cluster", "loci")
        }
        assert found == NAMES

    def test_stops_when_asked(self, result: Clustering, tmp_path: Path) -> None:
        def tick(fraction: float) -> None:
            if fraction > 0.2:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            figures.write_figures(result, tmp_path, tick=tick)
        assert len(list(tmp_path.rglob("*.svg"))) == 2


# Machado, Oliveira and Fernandes 2009, complete deuteranopia and protanopia, for linear RGB.
VISION = {
    "full": np.eye(3),
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}
XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour: str, vision: str) -> np.ndarray:
    """CIE Lab of a colour as somebody sees it."""
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(VISION[vision]) @ linear, 0, 1)
    x, y, z = (
        np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116
        for v in np.array(XYZ) @ seen / [0.9505, 1, 1.089]
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


class TestClusterStyle:
    @pytest.mark.parametrize("vision", VISION)
    def test_has_colours_that_everybody_can_tell_apart(self, vision: str) -> None:
        seen = [lab(colour, vision) for colour in PALETTE]

        # A difference of 2.3 can just be noticed.
        assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15

    def test_gives_56_clusters_a_look_of_their_own(self) -> None:
        looks = {(s.colour, s.symbol) for s in map(cluster_style, range(56))}

        assert len(looks) == 56
