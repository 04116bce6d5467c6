"""Ratings foretold: what user and item usually get, and how the most similar rated beyond that.

Sources: Koren 2010 (baselines, KNNBaseline); the formulas and constants are those of the library
`scikit-surprise` with its similarity pearson_baseline, so that errors can be compared."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import sparse

from jobs.engines.collaborative_filtering.interactions import Labels
from jobs.engines.collaborative_filtering.metrics import RESAMPLES, Figure, figure

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

# Fewer ratings say nothing about the error.
FEWEST_RATINGS = 50
# Similarities of all pairs take minutes beyond: then only the baseline is told.
MOST_RATINGS_COMPARED = 400_000
# Ratings drawn for an interval: of more than MOST_DRAWN / RESAMPLES of them fewer resamples are made.
MOST_DRAWN = 200_000_000
FEWEST_RESAMPLES = 200
# Similarities of a block of rows at most: 8 bytes each, a few times.
BLOCK_ENTRIES = 2_000_000


class Similar(StrEnum):
    """Whose ratings are looked at."""

    ITEMS = "items"  # the user's ratings of similar items
    USERS = "users"  # similar users' ratings of the item


@dataclass(frozen=True)
class Given:
    """Ratings, one per pair; of a repeated pair the last. All arrays (n_ratings,)."""

    users: Positions
    items: Positions
    ratings: Numbers
    n_users: int
    n_items: int


@dataclass(frozen=True)
class BaselineConfig:
    """rating = mean + bias of the user + bias of the item, found by alternating least squares."""

    rounds: int = 10
    user_shrinkage: float = 15.0
    item_shrinkage: float = 10.0


@dataclass(frozen=True)
class NeighbourConfig:
    """The mean of what the most similar rated above their baselines, weighed by similarity."""

    similar: Similar = Similar.ITEMS
    neighbours: int = 40
    shrinkage: float = 100.0
    """Pairs in common needed before a similarity is believed."""


class Baseline:
    """What a user usually gives and an item usually gets."""

    def __init__(self, config: BaselineConfig | None = None) -> None:
        self.config = config or BaselineConfig()

    def fit(self, given: Given) -> None:
        """Learn the biases."""
        self.given = given
        self.mean = float(given.ratings.mean()) if len(given.ratings) else 0.0
        self.user_bias, self.item_bias = np.zeros(given.n_users), np.zeros(given.n_items)
        above = given.ratings - self.mean
        n_user = np.bincount(given.users, minlength=given.n_users) + self.config.user_shrinkage
        n_item = np.bincount(given.items, minlength=given.n_items) + self.config.item_shrinkage
        for _ in range(self.config.rounds):
            rest = above - self.user_bias[given.users]
            self.item_bias = np.bincount(given.items, rest, minlength=given.n_items) / n_item
            rest = above - self.item_bias[given.items]
            self.user_bias = np.bincount(given.users, rest, minlength=given.n_users) / n_user

    def predict(self, users: Positions, items: Positions) -> Numbers:
        """Ratings within the range that was seen; a position of -1 is somebody unknown."""
        return self._clipped(self.baseline(users, items))

    def baseline(self, users: Positions, items: Positions) -> Numbers:
        """The same before it is cut to the range."""
        bias = np.append(self.user_bias, 0.0)[users] + np.append(self.item_bias, 0.0)[items]
        return self.mean + bias

    def _clipped(self, ratings: Numbers) -> Numbers:
        if not len(self.given.ratings):
            return ratings
        return np.clip(ratings, self.given.ratings.min(), self.given.ratings.max())


class Neighbours(Baseline):
    """The baseline, and what similar items or users add to it."""

    def __init__(
        self, neighbours: NeighbourConfig | None = None, config: BaselineConfig | None = None
    ) -> None:
        super().__init__(config)
        self.neighbours = neighbours or NeighbourConfig()

    def fit(self, given: Given) -> None:
        super().fit(given)
        by_items = self.neighbours.similar is Similar.ITEMS
        rows, columns = (given.items, given.users) if by_items else (given.users, given.items)
        shape = (given.n_items, given.n_users) if by_items else (given.n_users, given.n_items)
        beyond = given.ratings - self.baseline(given.users, given.items)
        self._beyond = sparse.csr_matrix((beyond, (rows, columns)), shape=shape)
        # A rating that is exactly the baseline is an entry all the same.
        self._rated = sparse.csr_matrix((np.ones(len(beyond)), (rows, columns)), shape=shape)

    def predict(self, users: Positions, items: Positions) -> Numbers:
        """Ratings within the range that was seen; a position of -1 is somebody unknown."""
        ratings = self.baseline(users, items)
        known = (users >= 0) & (items >= 0)
        by_items = self.neighbours.similar is Similar.ITEMS
        rows, columns = (items, users) if by_items else (users, items)
        step = max(1, BLOCK_ENTRIES // max(self._rated.shape[0], 1))
        wanted = np.unique(rows[known])
        for start in range(0, len(wanted), step):
            block = wanted[start : start + step]
            alike = self._similarities(block)
            here = np.flatnonzero(known & np.isin(rows, block))
            place = np.searchsorted(block, rows[here])
            ratings[here] += self._added(alike, place, columns[here])
        return self._clipped(ratings)

    def _similarities(self, block: Positions) -> Numbers:
        """(len(block), n_rows): correlation of what was given beyond the baseline."""
        ones, beyond = self._rated[block], self._beyond[block]
        squares, all_squares = beyond.multiply(beyond), self._beyond.multiply(self._beyond)
        both = (ones @ self._rated.T).toarray()
        above = (beyond @ self._beyond.T).toarray()
        below = (squares @ self._rated.T).toarray() * (ones @ all_squares.T).toarray()
        alike = np.divide(above, np.sqrt(below), out=np.zeros_like(above), where=below > 0)
        trust = np.maximum(both - 1, 0)
        return np.asarray(alike * trust / (trust + self.neighbours.shrinkage))

    def _added(self, alike: Numbers, places: Positions, columns: Positions) -> Numbers:
        by_column = self._rated.T.tocsr()
        beyond = self._beyond.T.tocsr()
        added = np.zeros(len(places))
        for n, (place, column) in enumerate(zip(places.tolist(), columns.tolist(), strict=True)):
            own = slice(by_column.indptr[column], by_column.indptr[column + 1])
            similarity = alike[place, by_column.indices[own]]
            values = beyond.data[own]
            if len(values) > self.neighbours.neighbours:
                best = np.argsort(-similarity, kind="stable")[: self.neighbours.neighbours]
                similarity, values = similarity[best], values[best]
            weight = np.maximum(similarity, 0.0)
            if weight.sum() > 0:
                added[n] = weight @ values / weight.sum()
        return added


def rmse(predicted: Numbers, true: Numbers) -> float:
    """The root of the mean squared error."""
    return float(np.sqrt(np.mean(np.square(predicted - true))))


def rmse_figure(predicted: Numbers, true: Numbers, *, seed: int = 0) -> Figure:
    """The same with the 95 % interval that resampling the squared errors gives."""
    resamples = min(RESAMPLES, max(FEWEST_RESAMPLES, MOST_DRAWN // max(len(true), 1)))
    squares = figure(np.square(predicted - true), seed=seed, resamples=resamples)
    return Figure(*(float(np.sqrt(each)) for each in (squares.value, squares.low, squares.high)))


def errors_of(
    users: Labels,
    items: Labels,
    ratings: Numbers,
    *,
    seed: int = 0,
    most_compared: int | None = None,
) -> dict[str, Figure]:
    """RMSE of every way to foretell on a random fifth of the ratings; none for too few of them.

    Neighbours are left out above MOST_RATINGS_COMPARED, and those of users or items where there are
    more than `most_compared` of them."""
    if len(ratings) < FEWEST_RATINGS:
        return {}
    user, item, rating = _last_of_pairs(users, items, ratings)
    if len(rating) < FEWEST_RATINGS:
        return {}
    order = np.random.default_rng(seed).permutation(len(rating))
    test, train = order[: len(order) // 5], order[len(order) // 5 :]
    shape = {"n_users": int(user.max()) + 1, "n_items": int(item.max()) + 1}
    given = Given(user[train], item[train], rating[train], **shape)
    models = {"baseline": Baseline()}
    for name, similar, n_rows in (
        ("item-knn", Similar.ITEMS, given.n_items),
        ("user-knn", Similar.USERS, given.n_users),
    ):
        if len(rating) <= MOST_RATINGS_COMPARED and n_rows <= (most_compared or n_rows):
            models[name] = Neighbours(NeighbourConfig(similar))
    errors = {}
    for name, model in models.items():
        model.fit(given)
        errors[name] = rmse_figure(model.predict(user[test], item[test]), rating[test], seed=seed)
    return errors


def _last_of_pairs(
    users: Labels, items: Labels, ratings: Numbers
) -> tuple[Positions, Positions, Numbers]:
    user = np.unique(users, return_inverse=True)[1].astype(np.int64)
    item = np.unique(items, return_inverse=True)[1].astype(np.int64)
    pair = user * (int(item.max()) + 1) + item
    # unique gives the first of equal ones: looked at from the end that is the last.
    last = len(pair) - 1 - np.unique(pair[::-1], return_index=True)[1]
    last.sort()
    return user[last], item[last], ratings[last]
