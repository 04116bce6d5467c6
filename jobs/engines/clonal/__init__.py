"""Clonal clustering: read counts of mutations in, clusters with their cellular prevalence out.

    from jobs.engines import clonal

    found = clonal.check(path, path, tumour_content=[0.7, 0.6])   # problems, warnings, overlap
    table = clonal.read_mutations(path, path, tumour_content=[0.7, 0.6])
    result = clonal.cluster(table, clonal.ClusteringConfig(seed=1), progress=lambda f, text: ...)
    result.cluster_tsv(), result.loci_tsv(), result.labels, result.prevalence, result.elbo
    clonal.simulate(clonal.Experiment(n_mutations=500, depth=100)).table
    clonal.save_result(result, path); clonal.load_result(path)      # to draw from it later

Static figures and the report need matplotlib, which is slow to import, so they are modules apart:

    from jobs.engines.clonal import figures, report

    figures.draw_figure(result, "loci/scatter", format="pdf", language="zh")   # bytes
    report.report_pdf(result, recipe, language="zh", title=..., facts=[...])   # bytes

Written from the papers: Roth et al., Nature Methods 2014 (PyClone); Gillis and Roth, BMC
Bioinformatics 2020 (PyClone-VI). `python -m jobs.engines.clonal --help` runs it without a portal."""

import os

# One thread for linear algebra: with several, sums come out in another order, and the same seed must
# give the same bytes; it also leaves the other cores to other jobs. Read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from jobs.engines.clonal.agreement import Agreement, agreement, prevalence_error
from jobs.engines.clonal.archive import load_result, save_result
from jobs.engines.clonal.clustering import cluster
from jobs.engines.clonal.colours import PALETTE, ClusterStyle, cluster_style
from jobs.engines.clonal.config import ClusteringConfig
from jobs.engines.clonal.formats import long_tsv, sample_tsvs
from jobs.engines.clonal.genotypes import GenotypePrior
from jobs.engines.clonal.likelihood import Density, ReadModel
from jobs.engines.clonal.mutations import InvalidMutationTable, MutationTable
from jobs.engines.clonal.plots import (
    ClusterPlot,
    LociDensity,
    LociPlot,
    SimilarityMatrix,
    cluster_plot,
    loci_density,
    loci_plot,
    similarity_matrix,
)
from jobs.engines.clonal.preflight import Dropped, Overlap, Preflight, check
from jobs.engines.clonal.reading import read_mutations
from jobs.engines.clonal.recipe import ENGINE, VERSION, recipe
from jobs.engines.clonal.repair import Repaired, repair
from jobs.engines.clonal.result import CLUSTER_COLUMNS, LOCI_COLUMNS, Clustering
from jobs.engines.clonal.rules import TEXTS, Problem, Report, Rule, RuleText, shown
from jobs.engines.clonal.simulator import Experiment, Simulation, simulate

__all__ = [
    "CLUSTER_COLUMNS",
    "ENGINE",
    "LOCI_COLUMNS",
    "PALETTE",
    "TEXTS",
    "VERSION",
    "Agreement",
    "ClusterPlot",
    "ClusterStyle",
    "Clustering",
    "ClusteringConfig",
    "Density",
    "Dropped",
    "Experiment",
    "GenotypePrior",
    "InvalidMutationTable",
    "LociDensity",
    "LociPlot",
    "MutationTable",
    "Overlap",
    "Preflight",
    "Problem",
    "ReadModel",
    "Repaired",
    "Report",
    "Rule",
    "RuleText",
    "SimilarityMatrix",
    "Simulation",
    "agreement",
    "check",
    "cluster",
    "cluster_plot",
    "cluster_style",
    "load_result",
    "loci_density",
    "loci_plot",
    "long_tsv",
    "prevalence_error",
    "read_mutations",
    "recipe",
    "repair",
    "sample_tsvs",
    "save_result",
    "shown",
    "similarity_matrix",
    "simulate",
]
