"""Tumours made up from the model, with the truth: to plan an experiment, and to test the engine.

How deep, how many samples, how pure: simulate what an experiment would give, analyse it, and compare
with the truth before anything is sequenced."""

from dataclasses import dataclass

import numpy as np

from jobs.engines.clonal.arrays import Ints, Reals
from jobs.engines.clonal.genotypes import GenotypePrior, genotype_states
from jobs.engines.clonal.likelihood import Density
from jobs.engines.clonal.mutations import MutationTable

TRIES_PER_SEPARATION = 50
# Copy numbers of a segment (major, minor) and how often they are drawn.
COPY_STATES = ((1, 1), (2, 1), (1, 0), (2, 2), (2, 0), (3, 1), (3, 2), (4, 2))
COPY_WEIGHTS = (0.55, 0.14, 0.08, 0.08, 0.04, 0.06, 0.03, 0.02)
SEX_SHARE = 0.03
AMPLIFIED_SHARE = 0.3
ERROR_RATE = 0.001


@dataclass(frozen=True)
class Experiment:
    """What is to be simulated."""

    n_mutations: int = 200
    n_samples: int = 2
    n_clusters: int = 5
    depth: float = 200.0
    """Mean number of reads at a mutation."""
    density: Density = Density.BETA_BINOMIAL
    precision: float = 200.0
    tumour_content: tuple[float, ...] | None = None
    """One for each sample; drawn between 0.4 and 0.9 when not given."""
    separation: float = 0.15
    """Clusters differ by this much in one sample at least, when there is room for so many."""
    diploid: bool = False
    """Every segment has two copies."""
    largest_major_cn: int = 4
    """Above 4, amplified segments of up to so many copies are among the others."""
    evenness: float = 3.0
    """Of the clusters' sizes: 0.3 gives one large and many tiny ones, 100 nearly equal ones."""
    seed: int = 0


@dataclass(frozen=True)
class Simulation:
    """A mutation table with its truth."""

    table: MutationTable
    clusters: Ints
    """(n_mutations,): the true cluster of each mutation."""
    prevalence: Reals
    """(n_clusters, n_samples): the true cellular prevalences; cluster 0 is the trunk."""
    separation: float
    """The smallest distance between two clusters that was reached."""


def simulate(experiment: Experiment) -> Simulation:
    """One tumour: a tree of clones, copy number segments, and reads.

    Raises ValueError when there are fewer mutations than clusters."""
    e = experiment
    _check(e)
    random = np.random.default_rng(e.seed)
    prevalence, separation = _prevalences(e, random)
    clusters = _memberships(e, random)
    contents = np.array(e.tumour_content or random.uniform(0.4, 0.9, e.n_samples).round(2))
    major, minor, normal = _copy_numbers(e, random)
    vaf = _vaf(random, prevalence[clusters], contents, (major, minor, normal))
    depth = random.poisson(e.depth, size=vaf.shape)
    variant = random.binomial(depth, _scattered(e, random, vaf))
    width = len(str(e.n_mutations - 1))
    table = MutationTable(
        mutation_ids=tuple(f"m{number:0{width}d}" for number in range(e.n_mutations)),
        samples=_names(e.n_samples),
        ref_counts=depth - variant,
        var_counts=variant,
        normal_cn=normal,
        minor_cn=minor,
        major_cn=major,
        tumour_content=np.tile(contents, (e.n_mutations, 1)),
        error_rate=np.full(vaf.shape, ERROR_RATE),
    )
    return Simulation(table, clusters, prevalence, separation)


def _check(e: Experiment) -> None:
    if (
        min(e.n_mutations, e.n_samples, e.n_clusters) < 1
        or min(e.depth, e.precision, e.evenness) <= 0
    ):
        raise ValueError("sizes, depth, precision and evenness must be positive")
    if not 4 <= e.largest_major_cn <= 1_000:
        raise ValueError("the largest major copy number must be 4 to 1000")
    if e.n_mutations < e.n_clusters:
        raise ValueError(f"{e.n_clusters} clusters need as many mutations, not {e.n_mutations}")
    if e.tumour_content and len(e.tumour_content) != e.n_samples:
        raise ValueError(f"{e.n_samples} samples need as many tumour contents")
    if e.tumour_content and not all(0 < value <= 1 for value in e.tumour_content):
        raise ValueError("tumour contents lie above 0 and not above 1")


def _names(n_samples: int) -> tuple[str, ...]:
    width = len(str(n_samples))
    return tuple(f"S{number:0{width}d}" for number in range(1, n_samples + 1))


def _prevalences(e: Experiment, random: np.random.Generator) -> tuple[Reals, float]:
    """Prevalences of a random tree's clones; asks for less distance when none is found."""
    wanted = e.separation
    while True:
        for _ in range(TRIES_PER_SEPARATION):
            prevalence = _tree(e, random)
            reached = _smallest_distance(prevalence)
            if reached >= wanted:
                return prevalence, reached
        wanted *= 0.8


def _tree(e: Experiment, random: np.random.Generator) -> Reals:
    parents = [-1] + [int(random.integers(0, child)) for child in range(1, e.n_clusters)]
    shares = random.dirichlet(np.full(e.n_clusters, 0.6), size=e.n_samples).T
    # A clone's prevalence includes all that descend from it; children come after their parents.
    for child in range(e.n_clusters - 1, 0, -1):
        shares[parents[child]] += shares[child]
    return np.clip(shares.round(4), 0, 1)


def _smallest_distance(prevalence: Reals) -> float:
    if len(prevalence) < 2:
        return 1.0
    a, b = np.triu_indices(len(prevalence), k=1)
    return float(np.abs(prevalence[a] - prevalence[b]).max(axis=1).min())


def _memberships(e: Experiment, random: np.random.Generator) -> Ints:
    """Clusters of random sizes, each with one mutation at least, in random order."""
    weights = random.dirichlet(np.full(e.n_clusters, e.evenness))
    rest = random.choice(e.n_clusters, size=e.n_mutations - e.n_clusters, p=weights)
    return random.permutation(np.concatenate([np.arange(e.n_clusters), rest]))


def _copy_numbers(e: Experiment, random: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Major, minor and normal copy numbers, (n_mutations, n_samples); alike along segments."""
    shape = (e.n_mutations, e.n_samples)
    if e.diploid:
        return np.ones(shape, int), np.ones(shape, int), np.full(shape, 2)
    n_segments = max(e.n_mutations // 10, 1)
    states = np.array(COPY_STATES)[random.choice(len(COPY_STATES), n_segments, p=COPY_WEIGHTS)]
    if e.largest_major_cn > 4:
        amplified = random.random(n_segments) < AMPLIFIED_SHARE
        states[amplified, 0] = random.integers(5, e.largest_major_cn + 1, amplified.sum())
    sex = random.random(n_segments) < SEX_SHARE
    states[sex] = (1, 0)
    segment = random.integers(0, n_segments, e.n_mutations)
    major, minor = (
        np.repeat(states[segment, column][:, None], e.n_samples, 1) for column in (0, 1)
    )
    normal = np.repeat(np.where(sex, 1, 2)[segment][:, None], e.n_samples, 1)
    return major, minor, normal


def _vaf(
    random: np.random.Generator,
    prevalence: Reals,
    contents: Reals,
    copies: tuple[Ints, Ints, Ints],
) -> Reals:
    """The expected share of variant reads; a mutation has one genotype in all samples."""
    vaf = np.empty(prevalence.shape)
    chosen = random.random(len(prevalence))
    for row, sample in np.ndindex(*prevalence.shape):
        major, minor, normal = (int(part[row, sample]) for part in copies)
        states = genotype_states(
            major_cn=major,
            minor_cn=minor,
            normal_cn=normal,
            error_rate=ERROR_RATE,
            prior=GenotypePrior.MAJOR_COPY_NUMBER,
        )
        expected = states.expected_vaf(
            prevalence[row, [sample]],
            tumour_content=float(contents[sample]),
            error_rate=ERROR_RATE,
        )
        vaf[row, sample] = expected[int(chosen[row] * len(expected)), 0]
    return vaf


def _scattered(e: Experiment, random: np.random.Generator, vaf: Reals) -> Reals:
    if e.density is Density.BINOMIAL:
        return vaf
    return np.asarray(random.beta(e.precision * vaf, e.precision * (1 - vaf)))
