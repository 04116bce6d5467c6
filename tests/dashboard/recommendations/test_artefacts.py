"""Which files belong to a run, and which go."""

import os
from pathlib import Path

import numpy as np
import pytest
from flask import Flask

from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.services import artefacts
from jobs.engines.collaborative_filtering import build_interactions

PAIRS = build_interactions([1, 1, 2], [5, 6, 5], times_s=[1.0, 2.0, 3.0], weights=[0.5, 1.0, 1.5])


@pytest.fixture
def folder(app: Flask) -> Path:
    return artefacts.folder()


def make(folder: Path, *names: str) -> None:
    """Empty files, each a second younger than the one before."""
    for second, name in enumerate(names):
        (folder / name).touch()
        os.utime(folder / name, (second, second))


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestNextName:
    @pytest.mark.parametrize(
        ("artefact", "number"),
        [("7.npz", 1), ("7-2.npz", 3), ("7-9-9f3c01ab.npz", 10), ("imported.npz", 1)],
    )
    def test_counts_on_and_is_another_at_every_call(self, artefact: str, number: int) -> None:
        run = TrainingRun(id=7, artefact=artefact)

        names = {artefacts.next_name(run) for _ in range(5)}

        assert len(names) == 5
        assert {name[:-13] for name in names} == {f"7-{number}"}


class TestPairs:
    def test_belong_to_one_file_of_the_run(self, folder: Path) -> None:
        artefacts.save_pairs("7.npz", PAIRS)
        artefacts.save_pairs("7-1-9f3c01ab.npz", PAIRS.only(np.array([True, False, False])))

        counts = [artefacts.load_pairs(n).n_pairs for n in ("7.npz", "7-1-9f3c01ab.npz")]

        assert counts == [3, 1]
        with pytest.raises(FileNotFoundError):
            artefacts.load_pairs("7-2-00000000.npz")

    def test_of_an_older_version_are_those_of_the_training_and_weigh_one(
        self, folder: Path
    ) -> None:
        arrays = {"user_ids": [1, 2], "item_ids": [5, 5], "times_s": [1.0, 2.0]}
        np.savez(folder / "7.pairs.npz", **{name: np.array(a) for name, a in arrays.items()})

        pairs = artefacts.load_pairs("7-2.npz")

        assert pairs.weights.tolist() == [1.0, 1.0]

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"not an archive"])
    def test_that_cannot_be_read(self, folder: Path, content: bytes) -> None:
        (folder / "7.pairs.npz").write_bytes(content)

        with pytest.raises(ValueError, match=r"."):
            artefacts.load_pairs("7.npz")

    def test_with_a_column_missing(self, folder: Path) -> None:
        np.savez(folder / "7.pairs.npz", user_ids=np.array([1]))

        with pytest.raises(ValueError, match=r"7\.pairs\.npz does not hold"):
            artefacts.load_pairs("7.npz")


class TestRemoveOld:
    def test_leaves_what_is_in_use_and_the_newest_replaced_model(self, folder: Path) -> None:
        stems = ["7", "7-1-aaaaaaaa", "7-2-bbbbbbbb", "7-3-cccccccc"]
        other = ["70.npz", "70.pairs.npz", "8.npz", "8.pairs.npz", "notes.npz"]
        make(folder, *other, *(f"{s}{end}" for s in stems for end in (".npz", ".pairs.npz")))

        artefacts.remove_old([TrainingRun(id=7, artefact="7-3-cccccccc.npz")])

        assert left(folder) == {
            "notes.npz",
            "7-2-bbbbbbbb.npz",
            "7-3-cccccccc.npz",
            "7-3-cccccccc.pairs.npz",
        }

    def test_leaves_what_a_refresh_under_way_has_written(self, folder: Path) -> None:
        new = ["7-3-cccccccc.npz", "7-3-cccccccc.pairs.npz"]
        make(folder, "7-1-aaaaaaaa.npz", "7-2-bbbbbbbb.npz", "7-2-bbbbbbbb.pairs.npz", *new)

        artefacts.remove_old([TrainingRun(id=7, artefact="7-2-bbbbbbbb.npz")])

        assert left(folder) == {"7-2-bbbbbbbb.npz", "7-2-bbbbbbbb.pairs.npz", *new}

    def test_takes_away_what_broken_refreshes_left(self, folder: Path) -> None:
        broken = [f"7-1-{letter * 8}.npz" for letter in "abcd"]
        make(folder, "7.npz", "7.pairs.npz", *broken, "7-1-eeeeeeee.npz", "7-1-eeeeeeee.pairs.npz")

        artefacts.remove_replaced("7-1-eeeeeeee.npz")

        assert left(folder) == {broken[-1], "7-1-eeeeeeee.npz", "7-1-eeeeeeee.pairs.npz"}

    def test_keeps_the_pairs_that_older_versions_shared(self, folder: Path) -> None:
        make(folder, "7.pairs.npz", "7-1.npz", "7-2.npz")

        artefacts.remove_old([TrainingRun(id=7, artefact="7-2.npz")])

        assert left(folder) == {"7.pairs.npz", "7-1.npz", "7-2.npz"}
