"""The command line of the engine: check, analyse, simulate. Knows files and streams, no portal.

`run(arguments)` serves `run.py analyse` and `python -m`; arguments.py says what it takes."""

import argparse
import json
import shutil
import sys
import time
from dataclasses import fields
from math import isnan
from pathlib import Path
from typing import Any

from jobs.engines.clonal.agreement import agreement, prevalence_error
from jobs.engines.clonal.clustering import cluster
from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.figure_texts import Language
from jobs.engines.clonal.formats import long_tsv, truth_tsv
from jobs.engines.clonal.genotypes import GenotypePrior
from jobs.engines.clonal.likelihood import Density
from jobs.engines.clonal.mutations import MutationTable
from jobs.engines.clonal.originals import (
    EXECUTABLES,
    NOTICE,
    VARIABLES,
    OriginalFailed,
    Program,
    find_program,
    run_original,
)
from jobs.engines.clonal.preflight import Preflight, check
from jobs.engines.clonal.recipe import ENGINE, VERSION, recipe
from jobs.engines.clonal.result import Clustering
from jobs.engines.clonal.simulator import Experiment, Simulation, simulate

REFUSED, FAILED = 2, 1


class Failed(Exception):
    """A foreign program did not do it; the message says why."""


class Refused(Exception):
    """The arguments cannot be used; the message says why."""


def run(arguments: argparse.Namespace) -> int:
    """Do what the arguments say; 0 when it worked, 2 when the input or an option was refused."""
    try:
        if arguments.simulate:
            return _simulate(arguments)
        return _check(arguments) if arguments.check else _analyse(arguments)
    except Refused as error:
        return _refuse(str(error))
    except Failed as error:
        print(error, file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"cannot write: {error}", file=sys.stderr)
        return FAILED


def _check(arguments: argparse.Namespace) -> int:
    found = _checked(arguments)
    if arguments.json:
        print(json.dumps(_summary(found)))
    elif found.table is not None:
        print(f"{found.table.n_mutations} mutations, {found.table.n_samples} samples: good")
    return REFUSED if found.table is None else 0


def _analyse(arguments: argparse.Namespace) -> int:
    if arguments.out is None:
        return _refuse("give --out DIR")
    config = _config(arguments)
    found = _checked(arguments)
    if found.table is None:
        return REFUSED
    options = {"samples": arguments.samples, "tumour_content": arguments.tumour_content}
    return _write(
        arguments,
        found.table,
        config,
        paths=arguments.files,
        options={name: value for name, value in options.items() if value is not None},
    )


def _simulate(arguments: argparse.Namespace) -> int:
    if arguments.out is None or arguments.files:
        return _refuse("--simulate needs --out DIR and no files")
    config = _config(arguments)
    try:
        made = simulate(_experiment(arguments))
    except ValueError as error:
        raise Refused(str(error)) from error
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "simulated.tsv"
    path.write_text(long_tsv(made.table), encoding="utf-8", newline="\n")
    truth = arguments.out / "simulated.truth.tsv"
    truth.write_text(truth_tsv(made), encoding="utf-8", newline="\n")
    if arguments.no_analysis:
        return 0
    return _write(arguments, made.table, config, paths=[path], options={}, truth=made)


def _write(
    arguments: argparse.Namespace,
    table: MutationTable,
    config: ClusteringConfig,
    *,
    paths: list[Path],
    options: dict[str, Any],
    truth: Simulation | None = None,
) -> int:
    """Run the engine and write everything below DIR."""
    begin = time.perf_counter()
    folder: Path = arguments.out
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    result, version = _result(arguments, table, config)
    made = recipe(
        result, paths=paths, options=options, engine=arguments.engine, engine_version=version
    )
    texts = {
        "tables/cluster.tsv": result.cluster_tsv(),
        "tables/loci.tsv": result.loci_tsv(),
        "recipe.json": json.dumps(made, indent=2) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    if not arguments.no_plots:
        _draw(result, folder / "plots", language=arguments.language)
    figures = _figures(result, truth) | {"seconds": round(time.perf_counter() - begin, 3)}
    print(json.dumps(figures) if arguments.json else _sentence(figures))
    return 0


def _result(
    arguments: argparse.Namespace, table: MutationTable, config: ClusteringConfig
) -> tuple[Clustering, str]:
    """The clustering by the engine asked for, and that engine's version."""
    progress = None if _is_quiet(arguments) else _Printer()
    if arguments.engine == ENGINE:
        return cluster(table, config, progress=progress), VERSION
    program = Program(arguments.engine)
    executable = find_program(program)
    if executable is None:
        raise Refused(_not_found(program))
    print(NOTICE, file=sys.stderr)
    # Its own tables, plots and log stay beside ours.
    folder = arguments.out / "original"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        original = run_original(program, executable, table, config, folder, progress=progress)
    except OriginalFailed as error:
        raise Failed(
            f"{program}: {error} (log: {error.log})" if error.log else str(error)
        ) from error
    for warning in original.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return original.result, original.version


def _draw(result: Clustering, folder: Path, *, language: Language) -> None:
    # Imported late: matplotlib takes as long to import as a small run.
    from jobs.engines.clonal.figures import write_figures

    write_figures(result, folder, language=language)


def _figures(result: Clustering, truth: Simulation | None) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "mutations": result.table.n_mutations,
        "samples": result.table.n_samples,
        "clusters": result.n_clusters,
        "elbo": None if isnan(result.elbo) else round(result.elbo, 3),
        "seed": result.config.seed,
        "density": str(result.config.density),
        "precision": result.model.precision,
        "grid": len(result.grid),
        "restarts": len(result.restart_elbos),
    }
    if truth is not None:
        true_prevalence = truth.prevalence[truth.clusters]
        error = prevalence_error(true_prevalence, result.loci_prevalence)
        figures["v_measure"] = round(agreement(truth.clusters, result.labels).v_measure, 4)
        figures["prevalence_error"] = round(error, 4)
    return figures


def _sentence(figures: dict[str, Any]) -> str:
    text = "{mutations} mutations in {samples} samples: {clusters} clusters, ELBO {elbo}"
    more = "; V-measure {v_measure}, prevalence error {prevalence_error}"
    return (text + (more if "v_measure" in figures else "")).format(**figures)


def _checked(arguments: argparse.Namespace) -> Preflight:
    """The result of the check; warnings and problems go to standard error."""
    if not arguments.files:
        raise Refused("give at least one file")
    found = check(
        *arguments.files, samples=arguments.samples, tumour_content=arguments.tumour_content
    )
    for line in found.warnings.lines():
        print(f"warning: {line}", file=sys.stderr)
    for line in found.problems.lines():
        print(line, file=sys.stderr)
    return found


def _summary(found: Preflight) -> dict[str, Any]:
    return {
        "good": found.table is not None,
        "mutations": found.table.n_mutations if found.table else 0,
        "samples": found.table.n_samples if found.table else 0,
        "problems": found.problems.n_problems,
        "warnings": found.warnings.n_problems,
        "dropped": found.n_dropped,
    }


def _config(arguments: argparse.Namespace) -> ClusteringConfig:
    if arguments.engine != ENGINE and find_program(Program(arguments.engine)) is None:
        raise Refused(_not_found(Program(arguments.engine)))
    known = {field.name for field in fields(ClusteringConfig)}
    given = {name: value for name, value in vars(arguments).items() if name in known}
    given["density"], given["prior"] = Density(given["density"]), GenotypePrior(given["prior"])
    try:
        return ClusteringConfig(**given)
    except ValueError as error:
        raise Refused(str(error)) from error


def _not_found(program: Program) -> str:
    name, variable = EXECUTABLES[program], VARIABLES[program]
    return f"{name} was not found; install it, put it on PATH or name it in {variable}. {NOTICE}"


def _experiment(arguments: argparse.Namespace) -> Experiment:
    contents = arguments.tumour_content
    return Experiment(
        n_mutations=arguments.mutations,
        n_samples=arguments.sample_count,
        n_clusters=arguments.true_clusters,
        depth=arguments.depth,
        density=Density(arguments.density),
        precision=arguments.precision or Experiment.precision,
        tumour_content=tuple(contents) if contents else None,
        separation=arguments.separation,
        diploid=arguments.diploid,
        largest_major_cn=arguments.largest_copies,
        evenness=arguments.evenness,
        seed=arguments.seed,
    )


class _Printer:
    """Prints progress to standard error, a line for each stage."""

    def __init__(self) -> None:
        self._text = ""

    def __call__(self, fraction: float, text: str) -> None:
        if text != self._text:
            print(f"[{fraction:4.0%}] {text}", file=sys.stderr)
            self._text = text


def _is_quiet(arguments: argparse.Namespace) -> bool:
    return bool(arguments.quiet or arguments.json)


def _refuse(text: str) -> int:
    print(text, file=sys.stderr)
    return REFUSED
