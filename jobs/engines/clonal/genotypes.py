"""Genotype states of a mutation: which copies carry it in which population of cells.

Source: Roth et al., Nature Methods 2014 (PyClone), online methods. A sample is a mixture of normal
cells, tumour cells without the mutation (reference) and with it (variant)."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from jobs.engines.clonal.arrays import Reals


class GenotypePrior(StrEnum):
    """Which states are possible; all possible states of a mutation are equally likely."""

    MAJOR_COPY_NUMBER = "major_copy_number"
    """1 to major_cn mutated copies; one only if the copy number changed before the mutation."""
    PARENTAL_COPY_NUMBER = "parental_copy_number"
    """As many mutated copies as one of the parental alleles has, or one."""
    TOTAL_COPY_NUMBER = "total_copy_number"
    """Any number of mutated copies, before or after the copy number changed."""


@dataclass(frozen=True)
class States:
    """Copy numbers of the three populations and the chance that a variant cell's read shows it.

    All arrays are (n_states,)."""

    normal: Reals
    reference: Reals
    variant: Reals
    mutated: Reals

    def expected_vaf(self, prevalence: Reals, *, tumour_content: float, error_rate: float) -> Reals:
        """Chance that a read shows the variant, (n_states, n_points), for each cellular prevalence.

        Source: Roth et al. 2014, the function xi."""
        f, t, e = prevalence, tumour_content, error_rate
        normal = np.full(len(f), 1 - t) * self.normal[:, None]
        reference = t * (1 - f) * self.reference[:, None]
        variant = t * f * self.variant[:, None]
        shown = normal * e + reference * e + variant * self.mutated[:, None]
        return np.asarray(shown / (normal + reference + variant))


def genotype_states(
    *, major_cn: int, minor_cn: int, normal_cn: int, error_rate: float, prior: GenotypePrior
) -> States:
    """The possible states of a mutation, each once, in a fixed order."""
    total = major_cn + minor_cn
    if prior is GenotypePrior.MAJOR_COPY_NUMBER:
        before, after = list(range(1, major_cn + 1)), [1]
    elif prior is GenotypePrior.PARENTAL_COPY_NUMBER:
        before, after = sorted({major_cn, minor_cn, 1} - {0}), [1]
    else:
        before = after = list(range(1, total + 1))
    # With as many copies as normal cells, "before" and "after" are the same state.
    pairs = [(normal_cn, copies) for copies in before]
    pairs += [(total, copies) for copies in after] if total != normal_cn else []
    reference, copies_mutated = np.array(pairs, dtype=np.float64).T
    return States(
        normal=np.full(len(pairs), float(normal_cn)),
        reference=reference,
        variant=np.full(len(pairs), float(total)),
        mutated=np.minimum(1 - error_rate, copies_mutated / total),
    )
