"""What the command line of the engine takes; `commands.run` does it."""

import argparse
from pathlib import Path

from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.genotypes import GenotypePrior
from jobs.engines.clonal.likelihood import Density
from jobs.engines.clonal.originals import Program
from jobs.engines.clonal.recipe import ENGINE
from jobs.engines.clonal.simulator import Experiment

ENGINE_HELP = "builtin, or a program that is installed here; mind its licence"
FILES_HELP = "one table of all samples (column sample_id), or one table for each sample"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything that `run` reads."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help=FILES_HELP)
    parser.add_argument("--out", "--output", type=Path, metavar="DIR", help="where results go")
    parser.add_argument("--check", action="store_true", help="only check the files")
    parser.add_argument("--json", action="store_true", help="print one JSON object last")
    parser.add_argument("--no-plots", action="store_true", help="write the tables only")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of the plots")
    parser.add_argument("--quiet", action="store_true", help="do not print progress")
    _add_input(parser.add_argument_group("input"))
    _add_model(parser.add_argument_group("model and inference"))
    _add_simulation(parser.add_argument_group("simulation"))


def _add_input(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--tumour-content",
        "--tumour-contents",
        nargs="+",
        type=float,
        metavar="F",
        help="share of cancer cells of each sample, in the order of the files (default 1.0)",
    )
    group.add_argument("--samples", nargs="+", metavar="NAME", help="names instead of file names")


def _add_model(group: "argparse._ArgumentGroup") -> None:
    usual = ClusteringConfig()
    group.add_argument("--density", choices=[*Density], default=usual.density)
    group.add_argument("--prior", choices=[*GenotypePrior], default=usual.prior)
    group.add_argument("--precision", type=float, metavar="F", help="default: estimated")
    group.add_argument("--clusters", type=int, default=usual.clusters, metavar="N", help="allowed")
    group.add_argument("--restarts", type=int, default=usual.restarts, metavar="N", help="at most")
    group.add_argument("--grid", type=int, metavar="N", help="default: as fine as needed")
    group.add_argument("--weight-prior", type=float, default=usual.weight_prior, metavar="F")
    group.add_argument("--annealing-steps", type=int, default=usual.annealing_steps, metavar="N")
    group.add_argument("--annealing-power", type=float, default=usual.annealing_power, metavar="F")
    group.add_argument("--processes", type=int, default=usual.processes, metavar="N")
    group.add_argument("--seed", type=int, default=usual.seed, metavar="N")
    group.add_argument("--engine", choices=[ENGINE, *Program], default=ENGINE, help=ENGINE_HELP)


def _add_simulation(group: "argparse._ArgumentGroup") -> None:
    usual = Experiment()
    group.add_argument("--simulate", action="store_true", help="make up a tumour, then analyse it")
    group.add_argument("--no-analysis", action="store_true", help="only write the simulated tables")
    group.add_argument("--mutations", type=int, default=usual.n_mutations, metavar="N")
    group.add_argument("--sample-count", type=int, default=usual.n_samples, metavar="N")
    group.add_argument("--true-clusters", type=int, default=usual.n_clusters, metavar="N")
    group.add_argument("--depth", type=float, default=usual.depth, metavar="F", help="mean reads")
    group.add_argument("--separation", type=float, default=usual.separation, metavar="F")
    group.add_argument("--evenness", type=float, default=usual.evenness, metavar="F")
    group.add_argument("--largest-copies", type=int, default=usual.largest_major_cn, metavar="N")
    group.add_argument("--diploid", action="store_true", help="two copies everywhere")
