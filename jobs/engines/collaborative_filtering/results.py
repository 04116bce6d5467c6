"""What a trained run answers with."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import Ids, Matrix, Vector
from jobs.engines.collaborative_filtering.interactions import Labels
from jobs.engines.collaborative_filtering.recommender import CoCount

Label = int | str


@dataclass(frozen=True)
class Neighbours:
    """Similar rows in CSR: those of row r are indptr[r] to indptr[r + 1], sorted by position."""

    indptr: Ids
    indices: Ids
    data: Vector
    """Similarity, above 0."""


@dataclass(frozen=True)
class Neighbour:
    """A similar item or user."""

    id: Label
    score: float


@dataclass(frozen=True)
class Reason:
    """An item of the history that speaks for a recommended one."""

    item_id: Label
    share: float
    """Of the score, 0 to 1."""
    counts: CoCount
    """`both` of the `n` people who met this item met the recommended one too."""
    by_content: bool = False
    """Likeness in content says more than what people did."""


@dataclass(frozen=True)
class Suggestion:
    """A recommended item."""

    item_id: Label
    score: float
    """Comparable within one list only."""
    reasons: tuple[Reason, ...]
    """Largest share first. Empty: nothing in the history speaks for it, it is popular of late."""


@dataclass(frozen=True)
class PopularityCurve:
    """Items from the most to the least popular: the long tail."""

    item_ids: Labels
    n_users: Ids
    cumulative_share: npt.NDArray[np.float64]
    """Share of all pairs that the items up to this one have."""


@dataclass(frozen=True)
class Coverage:
    """How much of the catalogue the run reaches."""

    n_items: int
    n_with_neighbours: int
    """Items that have at least one similar item."""
    n_listed: int
    """Items in the list of at least one user."""


@dataclass(frozen=True)
class ActivityGrid:
    """Who met what, in groups: never one person a row, and never too many cells to draw."""

    share: Matrix
    """(rows, columns) pairs that exist / pairs that could, most active people and items first."""
    n_users: Ids
    """(rows,) people of a row."""
    n_items: Ids
    """(columns,) items of a column."""
