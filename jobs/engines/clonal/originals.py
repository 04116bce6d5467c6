"""PyClone and PyClone-VI themselves, where whoever runs the portal has installed them.

    path = find_program(Program.PYCLONE_VI)               # None where it is not
    result = run_original(Program.PYCLONE_VI, path, table, config, folder).result

Off unless asked for; NOTICE has to be shown where they are offered. Neither is shipped, vendored or
copied: each is started as a program, with files of its own below `folder`, whose names and ids are
neutral (S1, m000001), because both programs build file names and labels of them."""

import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np

from jobs.engines.clonal.arrays import Progress, silent
from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.likelihood import Density
from jobs.engines.clonal.mutations import MutationTable
from jobs.engines.clonal.original_tables import (
    combine,
    neutral,
    neutral_samples,
    read_pyclone,
    read_pyclone_vi,
    write_pyclone_files,
    write_pyclone_vi_file,
)
from jobs.engines.clonal.program_run import Limits, OriginalFailed, run_program
from jobs.engines.clonal.result import ForeignClustering

NOTICE = (
    "PyClone is licensed by the BC Cancer Agency for academic, non-commercial use only: personal, not "
    "transferable, and not for processing other people's data. PyClone-VI is licensed under GPL-3.0. "
    "This portal contains neither; whoever installs and runs them must hold the right to do so."
)
USUAL_PRECISION, USUAL_GRID, ERROR_RATE = 200.0, 100, 0.001
# Above this the default start of PyClone, every mutation alone, takes very long.
CONNECTED_ABOVE = 300


class Program(StrEnum):
    """The foreign engines by the names of `--engine`."""

    PYCLONE = "pyclone"
    """Roth et al. 2014: minutes to an hour; up to a few hundred mutations."""
    PYCLONE_VI = "pyclone-vi"
    """Gillis and Roth 2020."""


EXECUTABLES = {Program.PYCLONE: "PyClone", Program.PYCLONE_VI: "pyclone-vi"}
VARIABLES = {Program.PYCLONE: "ATRIUM_PYCLONE", Program.PYCLONE_VI: "ATRIUM_PYCLONE_VI"}


@dataclass(frozen=True)
class Original:
    """What a foreign program gave."""

    result: ForeignClustering
    version: str
    """As the program says it, or "" when it says nothing."""
    log: Path
    folder: Path
    """With its own tables and plots."""
    warnings: tuple[str, ...] = field(default=())
    """What it did not do: PyClone may end in its plots after the tables are written."""


def find_program(program: Program, path: str | Path | None = None) -> Path | None:
    """The executable: at `path`, at the environment's ATRIUM_PYCLONE(_VI), or on PATH."""
    named = path or os.environ.get(VARIABLES[program])
    found = shutil.which(str(named)) if named else shutil.which(EXECUTABLES[program])
    return Path(found).absolute() if found else None


def run_original(
    program: Program,
    executable: Path,
    table: MutationTable,
    config: ClusteringConfig,
    folder: Path,
    *,
    limits: Limits | None = None,
    n_iterations: int = 10_000,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Original:
    """Run a program on a table; its files stay below `folder`, `program.log` among them.

    n_iterations: of PyClone's sampling, a tenth of it burn-in. progress may raise to cancel; no process
    is left then. say gets each line that the program prints. Raises OriginalFailed with the program's
    last words, or why it cannot do this."""
    _refuse_what_it_cannot(program, table)
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(executable, folder, limits or Limits(), progress or silent, say)
    version = run.version()
    if program is Program.PYCLONE:
        result, warnings = _pyclone(run, table, config, n_iterations)
    else:
        result, warnings = _pyclone_vi(run, table, config)
    run.progress(1.0, "done")
    return Original(result, version, run.log, folder, tuple(warnings))


def pyclone_command(
    files: Sequence[Path],
    folder: Path,
    table: MutationTable,
    config: ClusteringConfig,
    *,
    n_iterations: int,
) -> list[str]:
    """Arguments of `PyClone run_analysis_pipeline`."""
    is_bb = config.density is Density.BETA_BINOMIAL
    words = ["run_analysis_pipeline", "--in_files", *map(str, files), "--working_dir", str(folder)]
    words += ["--samples", *neutral_samples(table)]
    words += ["--tumour_contents", *(f"{value:g}" for value in table.tumour_content[0].tolist())]
    words += ["--density", "pyclone_beta_binomial" if is_bb else "pyclone_binomial"]
    words += ["--prior", str(config.prior), "--num_iters", str(n_iterations)]
    # Without one the chain's start stays in every mean.
    words += ["--burnin", str(n_iterations // 10), "--seed", str(config.seed)]
    words += ["--plot_file_format", "svg"]
    if config.clusters < table.n_mutations:
        words += ["--max_clusters", str(config.clusters)]
    if table.n_mutations > CONNECTED_ABOVE:
        words += ["--init_method", "connected"]
    return words


def pyclone_vi_command(source: Path, target: Path, config: ClusteringConfig) -> list[str]:
    """Arguments of `pyclone-vi fit`."""
    options = {
        "-i": source,
        "-o": target,
        "-c": config.clusters,
        "-d": config.density,
        "-g": config.grid or USUAL_GRID,
        "-r": config.restarts,
        "-a": config.annealing_steps,
        "-t": 1,
        "--annealing-power": config.annealing_power,
        "--convergence-threshold": config.tolerance,
        "--max-iters": config.max_sweeps,
        "--mix-weight-prior": config.weight_prior,
        "--precision": config.precision or USUAL_PRECISION,
        "--print-freq": 10,
        "--seed": config.seed,
    }
    return ["fit", *(word for name, value in options.items() for word in (name, str(value)))]


def _refuse_what_it_cannot(program: Program, table: MutationTable) -> None:
    if program is Program.PYCLONE_VI:
        return
    if table.n_mutations < 2:
        raise OriginalFailed("PyClone needs two mutations at least; use the built-in engine")
    if np.ptp(table.tumour_content, axis=0).any():
        raise OriginalFailed(
            "PyClone takes one tumour content for each sample, not one for each row"
        )
    if (table.error_rate != ERROR_RATE).any():
        raise OriginalFailed(f"PyClone takes the error rate {ERROR_RATE} only")


def _pyclone(
    run: "_Run", table: MutationTable, config: ClusteringConfig, n_iterations: int
) -> tuple[ForeignClustering, list[str]]:
    files = write_pyclone_files(table, run.folder / "input")
    work = run.folder / "work"
    words = pyclone_command(files, work, table, config, n_iterations=n_iterations)
    stages = {work / "tables" / "cluster.tsv": 0.75, work / "tables" / "loci.tsv": 0.85}

    def fraction(line: str) -> float:
        done = max((part for path, part in stages.items() if path.exists()), default=0.0)
        found = re.search(r"iteration\D*(\d+)", line, re.IGNORECASE)
        return max(done, 0.7 * min(int(found[1]) / n_iterations, 1.0) if found else 0.0)

    code, last = run.program(words, fraction=fraction)
    tables = [work / "tables" / name for name in ("cluster.tsv", "loci.tsv")]
    if not all(path.is_file() for path in tables):
        raise OriginalFailed(last or f"PyClone ended with exit code {code}", log=run.log)
    warnings = [f"PyClone ended early, after its tables: {last}"] if code else []
    found = read_pyclone(work, neutral(table), log=run.log)
    return combine(table, config, found), warnings


def _pyclone_vi(
    run: "_Run", table: MutationTable, config: ClusteringConfig
) -> tuple[ForeignClustering, list[str]]:
    source = write_pyclone_vi_file(table, run.folder / "input.tsv")
    trace, target = run.folder / "fit.h5", run.folder / "results.tsv"
    elbo = float("nan")
    restart = 0

    def fraction(line: str) -> float:
        nonlocal elbo, restart
        if found := re.search(r"performing restart\D*(\d+)", line, re.IGNORECASE):
            restart = int(found[1])
        if found := re.search(r"ELBO\D*?(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)", line):
            elbo = float(found[1])
        return 0.9 * min(restart / config.restarts, 1.0)

    run.must(pyclone_vi_command(source, trace, config), made=trace, fraction=fraction)
    words = ["write-results-file", "-i", str(trace), "-o", str(target)]
    run.must(words, made=target, fraction=lambda _: 0.95)
    found = read_pyclone_vi(target, neutral(table), log=run.log)
    return combine(table, config, found, elbo=elbo), []


class _Run:
    """The steps of one run: they share its folder, log and time."""

    def __init__(
        self,
        executable: Path,
        folder: Path,
        limits: Limits,
        progress: Progress,
        say: Callable[[str], None],
    ) -> None:
        self.executable, self.folder = executable, folder
        self.limits, self.progress, self.say = limits, progress, say
        self.log = folder / "program.log"
        self.deadline = time.monotonic() + limits.seconds
        self._done = 0.0

    def version(self) -> str:
        """The last word of `--version`; "" when the program does not say it."""
        said: list[str] = []
        code, last = self._call(["--version"], said.append)
        lines = [line for line in [*said, last] if line.strip()]
        return re.split(r"[\s-]+", lines[0].strip())[-1] if lines and code == 0 else ""

    def program(self, words: list[str], *, fraction: Callable[[str], float]) -> tuple[int, str]:
        """Exit code and last line on standard error; progress only ever rises."""

        def tick(line: str) -> None:
            self.say(line)
            self._done = max(self._done, fraction(line))
            self.progress(self._done, "running the program")

        return self._call(words, tick)

    def must(self, words: list[str], *, made: Path, fraction: Callable[[str], float]) -> None:
        """Run a step that has to end well and to leave a file."""
        code, last = self.program(words, fraction=fraction)
        if code or not made.is_file():
            reason = last or f"it ended with exit code {code} and wrote no {made.name}"
            raise OriginalFailed(reason, log=self.log)

    def _call(self, words: list[str], tick: Callable[[str], None]) -> tuple[int, str]:
        return run_program(
            [str(self.executable), *words],
            folder=self.folder,
            log=self.log,
            limits=self.limits,
            deadline=self.deadline,
            tick=tick,
        )
