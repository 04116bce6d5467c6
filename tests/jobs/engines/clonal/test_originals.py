"""The foreign programs, by stand-ins that behave like them (see stand_ins.py), and for real where
they are installed."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from jobs.engines.clonal import ClusteringConfig, similarity_matrix
from jobs.engines.clonal.originals import (
    NOTICE,
    OriginalFailed,
    Program,
    find_program,
    pyclone_command,
    run_original,
)
from jobs.engines.clonal.program_run import Limits
from jobs.engines.clonal.simulator import Experiment, simulate
from tests.jobs.engines.clonal.stand_ins import stand_in
from tests.jobs.engines.clonal.tables import make_table

TABLE = make_table([[(80, 20), (0, 0)]] * 6, ids=["NA", "12", "<b>", "名", "e", "f"])
CONFIG = ClusteringConfig(restarts=3, clusters=4, seed=7)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder whose name needs care."""
    folder = tmp_path / "a b;$(x)"
    folder.mkdir()
    return folder


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


class TestRunOriginal:
    def test_reads_what_pyclone_writes(self, here: Path) -> None:
        seen: list[float] = []
        executable = stand_in(here, "PyClone")

        original = run_original(
            Program.PYCLONE,
            executable,
            TABLE,
            CONFIG,
            here / "run",
            progress=lambda fraction, _: seen.append(fraction),
        )

        result = original.result
        assert original.version == "0.13.1"
        assert original.warnings == ()
        assert result.table.mutation_ids == TABLE.mutation_ids
        # The cluster of higher prevalence comes first, here the one of the odd rows.
        assert result.labels.tolist() == [1, 0, 1, 0, 1, 0]
        assert result.prevalence.tolist() == [[0.9, 0.9], [0.3, 0.3]]
        assert result.loci_prevalence[0, 0] == pytest.approx(0.31)
        assert seen == sorted(seen)
        assert 0.3 < seen[-2] < 1
        # Together in one of four draws beside three in which they are apart.
        values = similarity_matrix(result).values
        assert 0.2 < values.min() < values.max() == 1

    def test_reads_what_pyclone_vi_writes(self, here: Path) -> None:
        executable = stand_in(here, "pyclone-vi")

        original = run_original(Program.PYCLONE_VI, executable, TABLE, CONFIG, here / "run")

        result = original.result
        assert original.version == "0.1.6"
        assert result.elbo == -120.25
        assert result.sizes.tolist() == [3, 3]
        assert result.prevalence.tolist() == [[0.75, 0.75], [0.25, 0.25]]
        assert result.probability == pytest.approx(0.9)
        assert result.posterior.sum(axis=2) == pytest.approx(1)
        lines = result.loci_tsv().splitlines()
        assert lines[1].split("\t") == [
            "NA",
            "S0",
            "1",
            "0.250000",
            "0.000000",
            "0.200000",
            "0.900000",
        ]
        assert lines[2].split("\t")[5] == ""

    @pytest.mark.parametrize(
        ("name", "program"), [("PyClone", Program.PYCLONE), ("pyclone-vi", Program.PYCLONE_VI)]
    )
    def test_leaves_no_process_when_it_is_cancelled(
        self, here: Path, name: str, program: Program
    ) -> None:
        executable = stand_in(here, name, behaviour="slow")
        folder = here / "run"

        def cancel(_fraction: float, _text: str) -> None:
            if (folder / "pids").exists() and (folder / "pids").read_text():
                raise InterruptedError

        with pytest.raises(InterruptedError):
            run_original(program, executable, TABLE, CONFIG, folder, progress=cancel)

        pids = [int(word) for word in (folder / "pids").read_text().split()]
        assert len(pids) == 2
        deadline = time.monotonic() + 20
        while any(map(is_running, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(is_running, pids))

    def test_stops_at_the_limit_of_time(self, here: Path) -> None:
        executable = stand_in(here, "PyClone", behaviour="slow")

        with pytest.raises(OriginalFailed, match="time limit of 3 s"):
            run_original(
                Program.PYCLONE, executable, TABLE, CONFIG, here / "run", limits=Limits(seconds=3)
            )

    def test_stops_at_the_limit_of_memory(self, here: Path) -> None:
        executable = stand_in(here, "PyClone", behaviour="hungry")

        with pytest.raises(OriginalFailed, match="MemoryError"):
            run_original(Program.PYCLONE, executable, TABLE, CONFIG, here / "run")

    @pytest.mark.parametrize(
        ("name", "behaviour", "message"),
        [
            ("PyClone", "fails", "ValueError: Major CN must be greater 0"),
            ("PyClone", "crash", "exit code -11"),
            ("PyClone", "nothing", "exit code 0"),
            ("pyclone-vi", "fails", "ValueError"),
            ("pyclone-vi", "crash", "exit code -11"),
            ("pyclone-vi", "strange", "lacks some mutations"),
        ],
    )
    def test_says_the_last_words_of_a_program_and_keeps_its_log(
        self, here: Path, name: str, behaviour: str, message: str
    ) -> None:
        program = Program.PYCLONE if name == "PyClone" else Program.PYCLONE_VI
        executable = stand_in(here, name, behaviour=behaviour)

        with pytest.raises(OriginalFailed, match=message) as caught:
            run_original(program, executable, TABLE, CONFIG, here / "run")

        assert "Traceback" not in str(caught.value)
        assert caught.value.log is not None
        assert ("Traceback" in caught.value.log.read_text()) == (behaviour == "fails")

    def test_keeps_the_tables_when_only_the_plots_failed(self, here: Path) -> None:
        executable = stand_in(here, "PyClone", behaviour="no plots")

        original = run_original(Program.PYCLONE, executable, TABLE, CONFIG, here / "run")

        assert original.result.n_clusters == 2
        assert "RuntimeError: no display" in original.warnings[0]

    def test_refuses_at_once_what_pyclone_cannot_do(self, here: Path) -> None:
        executable = stand_in(here, "PyClone")

        with pytest.raises(OriginalFailed, match="two mutations"):
            run_original(
                Program.PYCLONE, executable, TABLE.rows(np.array([0])), CONFIG, here / "run"
            )
        assert not (here / "run").exists()

    @pytest.mark.parametrize("program", Program)
    def test_agrees_with_the_real_program_where_it_is_installed(
        self, program: Program, tmp_path: Path
    ) -> None:
        executable = find_program(program)
        if executable is None:
            pytest.skip(f"{program} is not installed here")
        table = simulate(Experiment(n_mutations=24, n_clusters=2, depth=500, diploid=True)).table

        original = run_original(
            program, executable, table, CONFIG, tmp_path / "run", n_iterations=200
        )

        assert original.result.table.n_mutations == 24
        assert original.version


class TestFindProgram:
    def test_finds_it_on_path_or_where_it_is_named(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = stand_in(here, "PyClone")
        monkeypatch.setenv("PATH", str(here))
        assert find_program(Program.PYCLONE) == path

        monkeypatch.setenv("PATH", "/nowhere")
        assert find_program(Program.PYCLONE) is None
        assert find_program(Program.PYCLONE, path) == path
        monkeypatch.setenv("ATRIUM_PYCLONE", str(path))
        assert find_program(Program.PYCLONE) == path


class TestPycloneCommand:
    def test_has_neutral_names_burn_in_seed_and_svg(self) -> None:
        words = pyclone_command([Path("/x/S001.tsv")], Path("/x"), TABLE, CONFIG, n_iterations=1000)

        text = " ".join(words)
        assert "--samples S001 S002" in text
        assert "--burnin 100 --seed 7 --plot_file_format svg --max_clusters 4" in text
        assert "S0 " not in text


class TestNotice:
    def test_names_the_licences(self) -> None:
        assert "non-commercial" in NOTICE
        assert "GPL-3.0" in NOTICE
