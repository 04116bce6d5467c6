from pathlib import Path

import numpy as np
import pytest

from jobs.engines.collaborative_filtering import NotARun, load_run, save_run, train
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


class TestSaveRun:
    def test_keeps_everything(self, tmp_path: Path) -> None:
        data = random_interactions()
        model = train(data)
        save_run(model, tmp_path / "run.npz")

        again = load_run(tmp_path / "run.npz")

        assert again.metrics == model.metrics
        assert again.notes == model.notes
        assert dict(again.all_lists(data)) == dict(model.all_lists(data))
        assert again.similar_users(100) == model.similar_users(100)
        assert again.coverage() == model.coverage()

    def test_leaves_nothing_else_in_the_folder(self, tmp_path: Path) -> None:
        save_run(train(random_interactions()), tmp_path / "run.npz")

        assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]


class TestLoadRun:
    @pytest.mark.parametrize("content", [b"", b"not a run", b"PK\x03\x04 broken"])
    def test_refuses_what_is_not_a_run(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "run.npz").write_bytes(content)

        with pytest.raises(NotARun, match=r"run\.npz does not hold a training run"):
            load_run(tmp_path / "run.npz")

    def test_refuses_arrays_of_something_else(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "run.npz", data=np.ones(3))

        with pytest.raises(NotARun):
            load_run(tmp_path / "run.npz")

    def test_says_when_there_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            load_run(tmp_path / "run.npz")
