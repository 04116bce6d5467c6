"""Log-likelihood of every mutation's reads on a grid of cellular prevalences.

Sources: Roth et al. 2014 (densities and genotype states), Gillis and Roth 2020 (the grid)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import gammaln

from jobs.engines.clonal.arrays import Floats, Ints, Reals, log_sum_exp
from jobs.engines.clonal.genotypes import GenotypePrior, genotype_states
from jobs.engines.clonal.mutations import MutationTable

# The ends of the grid lie just inside 0 and 1, where the logarithms are finite.
EDGE = 1e-6
# Cells of one working array: 8 MB, so that a few of them stay in the cache and far below any limit.
BLOCK_CELLS = 1_000_000
# Below this the whole matrix is kept in float64; above, float32 halves memory and time.
DOUBLE_CELLS = 1_000_000
# To look for equal counts among fewer takes longer than it saves.
FEW_COUNTS = 8


class Density(StrEnum):
    """How the reads of a mutation scatter around the expected share."""

    BINOMIAL = "binomial"
    BETA_BINOMIAL = "beta-binomial"


@dataclass(frozen=True)
class ReadModel:
    """What the likelihood assumes."""

    density: Density = Density.BETA_BINOMIAL
    precision: float = 200.0
    """Of the beta-binomial; larger means less scatter."""
    prior: GenotypePrior = GenotypePrior.MAJOR_COPY_NUMBER


@dataclass(frozen=True)
class GridLikelihood:
    """Log-likelihoods on a grid, each row's best point of a sample moved to 0."""

    values: Floats
    """(n_mutations, n_samples * n_points), at most 0."""
    offset: Reals
    """(n_mutations,): what was taken off, summed over samples."""
    n_samples: int
    grid: Reals
    """(n_points,): the cellular prevalences."""

    @property
    def n_points(self) -> int:
        return len(self.grid)

    def of_sample(self, sample: int) -> Floats:
        """(n_mutations, n_points) of one sample."""
        return self.values[:, sample * self.n_points : (sample + 1) * self.n_points]


def make_grid(n_points: int) -> Reals:
    """Evenly spaced prevalences from just above 0 to just below 1."""
    return EDGE + (1 - 2 * EDGE) * np.linspace(0, 1, n_points)


def log_likelihood(table: MutationTable, model: ReadModel, *, grid: Reals) -> Reals:
    """(n_mutations, n_samples, n_points) in float64, coefficients included; for small tables."""
    result = np.empty((table.n_mutations, table.n_samples, len(grid)))
    for sample in range(table.n_samples):
        for rows, values in _blocks(table, model, sample, grid):
            result[rows, sample] = values
    return np.asarray(result + coefficients(table)[:, :, None])


def grid_likelihood(table: MutationTable, model: ReadModel, *, grid: Reals) -> GridLikelihood:
    """The log-likelihood, ready for inference; float32 when it is large."""
    n_points, n_cells = len(grid), table.n_mutations * table.n_samples * len(grid)
    dtype = np.float64 if n_cells <= DOUBLE_CELLS else np.float32
    values = np.empty((table.n_mutations, table.n_samples * n_points), dtype=dtype)
    offset = coefficients(table).sum(axis=1)
    for sample in range(table.n_samples):
        columns = slice(sample * n_points, (sample + 1) * n_points)
        for rows, block in _blocks(table, model, sample, grid):
            best = block.max(axis=1)
            offset[rows] += best
            values[rows, columns] = block - best[:, None]
    return GridLikelihood(values, offset, table.n_samples, grid)


@dataclass(frozen=True)
class Prepared:
    """Reads that share their genotypes in a sample, with what the precision does not change."""

    rows: Ints
    ref_counts: Ints
    var_counts: Ints
    vaf: Reals
    """(n_states, n_points)"""

    def log_likelihood(self, model: ReadModel) -> Reals:
        """(n_rows, n_points), coefficients left out."""
        density = log_density(self.ref_counts, self.var_counts, self.vaf, model)
        return np.asarray(log_sum_exp(density, axis=1) - np.log(len(self.vaf)))


def prepared_at(table: MutationTable, model: ReadModel, *, prevalence: Reals) -> list[Prepared]:
    """The reads of all samples at given prevalences of clusters, to add up over samples.

    prevalence: (n_clusters, n_samples), 0 to 1."""
    inside = np.clip(prevalence, EDGE, 1 - EDGE)
    return [
        part
        for sample in range(table.n_samples)
        for part in _prepared(table, model, sample, inside[:, sample])
    ]


def at_prevalences(table: MutationTable, model: ReadModel, *, prevalence: Reals) -> Reals:
    """(n_mutations, n_clusters): log-likelihood of all samples at given prevalences of clusters.

    prevalence: (n_clusters, n_samples), 0 to 1."""
    result = np.zeros((table.n_mutations, len(prevalence)))
    for part in prepared_at(table, model, prevalence=prevalence):
        result[part.rows] += part.log_likelihood(model)
    return result


def coefficients(table: MutationTable) -> Reals:
    """Logarithms of the binomial coefficients, (n_mutations, n_samples)."""
    a, b = table.ref_counts, table.var_counts
    return np.asarray(gammaln(a + b + 1) - gammaln(a + 1) - gammaln(b + 1))


def same_genotypes(table: MutationTable, sample: int) -> Iterator[Ints]:
    """Rows of a sample that share copy numbers, tumour content and error rate.

    They share their states too, which is what makes the likelihood of large tables cheap."""
    columns = np.column_stack(
        [
            getattr(table, name)[:, sample].astype(np.float64)
            for name in ("major_cn", "minor_cn", "normal_cn", "tumour_content", "error_rate")
        ]
    )
    order = np.lexsort(columns.T)
    change = np.any(np.diff(columns[order], axis=0) != 0, axis=1)
    yield from np.split(order, np.flatnonzero(change) + 1)


def expected_vaf(
    table: MutationTable, model: ReadModel, *, row: int, sample: int, f: Reals
) -> Reals:
    """(n_states, n_points): chance of a variant read for one mutation in one sample."""
    error_rate = float(table.error_rate[row, sample])
    states = genotype_states(
        major_cn=int(table.major_cn[row, sample]),
        minor_cn=int(table.minor_cn[row, sample]),
        normal_cn=int(table.normal_cn[row, sample]),
        error_rate=error_rate,
        prior=model.prior,
    )
    content = float(table.tumour_content[row, sample])
    return states.expected_vaf(f, tumour_content=content, error_rate=error_rate)


def log_density(a: Ints, b: Ints, vaf: Reals, model: ReadModel) -> Reals:
    """(n, *vaf.shape): log-probability of a reference and b variant reads, without coefficients."""
    if model.density is Density.BINOMIAL:
        flat = np.stack([np.log(vaf).ravel(), np.log1p(-vaf).ravel()])
        counts = np.column_stack([b, a]).astype(np.float64)
        return np.asarray((counts @ flat).reshape(len(a), *vaf.shape))
    first, second = model.precision * vaf, model.precision * (1 - vaf)
    depth = gammaln(model.precision + a + b) - gammaln(model.precision)
    result = _rising(first, b) + _rising(second, a)
    result -= depth.reshape(-1, *[1] * vaf.ndim)
    return np.asarray(result)


def _blocks(
    table: MutationTable, model: ReadModel, sample: int, grid: Reals
) -> Iterator[tuple[Ints, Reals]]:
    """Rows of a sample with their (n_rows, n_points), coefficients left out."""
    for part in _prepared(table, model, sample, grid):
        yield part.rows, part.log_likelihood(model)


def _prepared(
    table: MutationTable, model: ReadModel, sample: int, grid: Reals
) -> Iterator[Prepared]:
    for rows in same_genotypes(table, sample):
        vaf = expected_vaf(table, model, row=int(rows[0]), sample=sample, f=grid)
        n_blocks = -(-len(rows) * vaf.size // BLOCK_CELLS)
        for block in np.array_split(rows, n_blocks):
            a, b = table.ref_counts[block, sample], table.var_counts[block, sample]
            yield Prepared(block, a, b, vaf)


def _rising(start: Reals, counts: Ints) -> Reals:
    """lnGamma(start + count) - lnGamma(start) for each count; each different count once."""
    if len(counts) < FEW_COUNTS:
        return np.asarray(gammaln(start + counts.reshape(-1, *[1] * start.ndim)) - gammaln(start))
    different, place = np.unique(counts, return_inverse=True)
    terms = gammaln(start + different.reshape(-1, *[1] * start.ndim)) - gammaln(start)
    return np.asarray(terms[place])
