"""Results kept in a file."""

from pathlib import Path

import numpy as np
import pytest

from jobs.engines.clonal import (
    ClusteringConfig,
    cluster,
    cluster_plot,
    load_result,
    save_result,
    similarity_matrix,
)
from jobs.engines.clonal.figures import draw_figure
from tests.jobs.engines.clonal.tables import make_table


class TestLoadResult:
    def test_gives_back_what_was_saved(self, tmp_path: Path) -> None:
        table = make_table([[(80, 20), (0, 0)], [(50, 50), (90, 10)]], ids=["位点", "b"])
        result = cluster(table, ClusteringConfig(restarts=1, seed=4))
        save_result(result, tmp_path / "result.npz")

        loaded = load_result(tmp_path / "result.npz")

        assert loaded.table.mutation_ids == result.table.mutation_ids
        assert loaded.config == result.config
        assert loaded.model == result.model
        assert loaded.cluster_tsv() == result.cluster_tsv()
        assert np.allclose(cluster_plot(loaded).densities, cluster_plot(result).densities)
        assert np.allclose(similarity_matrix(loaded).values, similarity_matrix(result).values)
        assert draw_figure(loaded, "loci/vaf_scatter")

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nothing"])
    def test_refuses_other_files(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "x.npz"
        path.write_bytes(content)

        with pytest.raises(ValueError, match="no result"):
            load_result(path)
