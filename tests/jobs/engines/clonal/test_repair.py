"""Repaired files: what is put right, what is left out, and that they pass the check."""

from pathlib import Path

import pytest

from jobs.engines.clonal import Repaired, check, repair
from tests.factories.shared_data import shared_data
from tests.jobs.engines.clonal.tables import LONG_HEADER, write


def saved(repaired: Repaired, folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, text in repaired.files.items():
        (folder / name).write_text(text)
    return [folder / name for name in repaired.files]


class TestRepair:
    @pytest.mark.parametrize(
        ("name", "n_mutations"),
        [
            ("comma_separated", 4),
            ("text_count", 3),
            ("blank_count", 3),
            ("negative_var", 3),
            ("duplicate_mutation", 4),
            ("minor_gt_major", 3),
            ("major_zero", 3),
            ("normal_zero", 3),
            ("float_count_100.5", 3),
            ("utf8_bom", 4),
        ],
    )
    def test_makes_a_file_that_passes(self, name: str, n_mutations: int, tmp_path: Path) -> None:
        repaired = repair(shared_data(f"clonal/invalid/{name}.tsv"))

        found = check(*saved(repaired, tmp_path / "out"))
        assert found.problems.lines() == []
        assert found.table is not None
        assert found.table.n_mutations == repaired.n_mutations == n_mutations
        assert not found.dropped

    @pytest.mark.parametrize(
        "name", ["latin1", "binary", "empty", "header_only", "missing_major_cn"]
    )
    def test_makes_nothing_up(self, name: str) -> None:
        assert repair(shared_data(f"clonal/invalid/{name}.tsv")).files == {}

    def test_keeps_the_layout_of_one_table(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "all.tsv",
            "m1 S1 9 1 1 1 2 0.5",
            "m1 S2 9 1 1 1 2 0.6",
            "m2 S1 9 x 1 1 2 0.5",
            "m2 S2 9 1 1 1 2 0.6",
            header=LONG_HEADER,
        )

        repaired = repair(path)

        assert list(repaired.files) == ["mutations.tsv"]
        assert (repaired.n_mutations, repaired.n_left_out) == (1, 1)
        table = check(*saved(repaired, tmp_path / "out")).table
        assert table is not None
        assert table.tumour_content.tolist() == [[0.5, 0.6]]
