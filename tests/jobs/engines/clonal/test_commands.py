"""The command line, run in this process with real files."""

import argparse
import json
from pathlib import Path

import pytest

from jobs.engines.clonal import check
from jobs.engines.clonal.arguments import add_arguments
from jobs.engines.clonal.commands import run
from tests.jobs.engines.clonal.stand_ins import stand_in
from tests.jobs.engines.clonal.tables import write

ROWS = [f"m{row} {90 + row} {10 + 30 * (row % 2)} 2 1 1" for row in range(8)]


def call(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / f"{name}.tsv", *ROWS) for name in ("S1", "S2")]


class TestRun:
    def test_writes_tables_and_recipe_and_prints_json_last(
        self, files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"

        code = call(
            *files, "--out", out, "--tumour-content", 0.8, 0.7, "--seed", 3, "--json", "--no-plots"
        )

        assert code == 0
        figures = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (figures["mutations"], figures["samples"], figures["seed"]) == (8, 2, 3)
        assert {"clusters", "elbo", "seconds"} <= figures.keys()
        assert (out / "tables" / "cluster.tsv").is_file()
        assert len((out / "tables" / "loci.tsv").read_text().splitlines()) == 17
        recipe = json.loads((out / "recipe.json").read_text())
        assert recipe["seed"] == 3
        assert [entry["name"] for entry in recipe["inputs"]] == ["S1.tsv", "S2.tsv"]
        assert recipe["input_options"] == {"tumour_content": [0.8, 0.7]}

    def test_writes_the_same_bytes_again(self, files: list[Path], tmp_path: Path) -> None:
        folders = [tmp_path / "one", tmp_path / "two"]

        for folder in folders:
            call(*files, "--out", folder, "--quiet", "--no-plots")

        first, second = (folder / "tables" / "loci.tsv" for folder in folders)
        assert first.read_bytes() == second.read_bytes()

    def test_refuses_a_bad_table_with_2_and_its_problems_on_stderr(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = write(tmp_path / "a.tsv", "m1 x 1 2 1 1", "m2 1 -1 2 1 1")

        code = call(path, "--out", tmp_path / "out", "--tumour-content", 0.9)

        assert code == 2
        lines = capsys.readouterr().err.splitlines()
        assert [line.split(":")[0] for line in lines] == ["a.tsv, line 2", "a.tsv, line 3"]
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        "words",
        [
            ["--out", "x", "--clusters", "0"],
            ["--out", "x", "--engine", "pyclone-vi"],
            ["--out", "x", "--precision", "-1"],
            [],
        ],
        ids=["clusters", "engine", "precision", "no folder"],
    )
    def test_refuses_options_that_make_no_sense(
        self, files: list[Path], words: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "/nowhere")

        assert call(*files, *words) == 2

    def test_only_checks(self, files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert call("--check", *files) == 0
        assert "8 mutations, 2 samples" in capsys.readouterr().out

    def test_simulates_and_compares_with_the_truth(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sizes = ["--mutations", 60, "--true-clusters", 2, "--depth", 500]

        code = call("--simulate", "--out", tmp_path, *sizes, "--json", "--no-plots")

        assert code == 0
        figures = json.loads(capsys.readouterr().out)
        assert figures["v_measure"] > 0.5
        assert check(tmp_path / "simulated.tsv").table is not None
        assert (tmp_path / "simulated.truth.tsv").is_file()

    def test_draws_nine_plots_unless_told_not_to(self, files: list[Path], tmp_path: Path) -> None:
        with_plots, without = tmp_path / "with", tmp_path / "without"

        call(*files, "--out", with_plots, "--quiet", "--language", "zh")
        call(*files, "--out", without, "--quiet", "--no-plots")

        assert len(list((with_plots / "plots" / "cluster").glob("*.svg"))) == 3
        assert len(list((with_plots / "plots" / "loci").glob("*.svg"))) == 6
        assert not (without / "plots").exists()

    @pytest.mark.parametrize(("engine", "name"), [("pyclone", "PyClone"), ("pyclone-vi",) * 2])
    def test_runs_a_program_that_is_installed(
        self,
        engine: str,
        name: str,
        files: list[Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        tmp_path = files[0].parent
        stand_in(tmp_path, name)
        monkeypatch.setenv("PATH", str(tmp_path))

        code = call(*files, "--out", tmp_path / "out", "--engine", engine, "--json")

        assert code == 0
        assert len((tmp_path / "out" / "tables" / "cluster.tsv").read_text().splitlines()) == 5
        assert json.loads((tmp_path / "out" / "recipe.json").read_text())["engine"] == engine
        assert len(list((tmp_path / "out" / "plots").rglob("*.svg"))) == 9
        assert (tmp_path / "out" / "original" / "program.log").is_file()

    def test_says_in_one_line_why_a_program_failed(
        self,
        files: list[Path],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        tmp_path = files[0].parent
        stand_in(tmp_path, "PyClone", behaviour="fails")
        monkeypatch.setenv("PATH", str(tmp_path))

        code = call(*files, "--out", tmp_path / "out", "--engine", "pyclone", "--quiet")

        assert code == 1
        said = capsys.readouterr().err
        assert "non-commercial" in said
        last = said.splitlines()[-1]
        assert last.startswith("pyclone: ValueError: Major CN must be greater 0 (log: ")
        assert not (tmp_path / "out" / "recipe.json").exists()
