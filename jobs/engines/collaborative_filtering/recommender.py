"""What every model answers: the interface that users of the library `implicit` know.

`user_items` is CSR, (n_users, n_items), positive weights. Models that use the order of a history
read it from the order in which a row's entries are stored, oldest first (see Interactions)."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from os import PathLike, fspath
from typing import IO, Any, ClassVar, Self, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Matrix,
    Times,
    Vector,
    make_csr,
    no_tick,
    pattern,
)
from jobs.engines.collaborative_filtering.ranking import (
    IdOrIds,
    allowed,
    most_similar,
    one_or_all,
    positive_entries,
    with_the_rest,
)
from jobs.engines.collaborative_filtering.settings import configured

FileOrPath: TypeAlias = str | PathLike[str] | IO[bytes]


@dataclass(frozen=True)
class CoCount:
    """`both` of the `n` people who met the first item met the second one too."""

    both: int
    n: int


class Recommender(ABC):
    """Base of the models. A subclass fits and ranks items for histories."""

    config: Any
    Config: ClassVar[type]
    arguments: ClassVar[tuple[str, ...]] = ("K", "num_threads")
    """Of the class in `implicit`, in their order."""

    def __init__(self, config: Any = None, *values: Any, **named: Any) -> None:
        """config: an object of `Config`. Or give its fields by name, or `implicit`'s arguments: K, a
        number of neighbours that counts the item itself, and num_threads, which changes nothing."""
        self.config = configured(self.Config, config, values, named, order=self.arguments)
        self._fitted: CSR | None = None

    def fit(
        self,
        user_items: CSR,
        show_progress: bool = False,
        callback: Callable[[float], None] | None = None,
        *,
        times: Times | None = None,
    ) -> None:
        """Learn from `user_items`. times: seconds since 1970 of every stored entry.

        callback gets the fraction done and may raise to stop; nothing is ever printed."""
        if times is not None and np.shape(times) != (user_items.nnz,):
            raise ValueError(f"{user_items.nnz} entries need as many times, not {np.size(times)}")
        kept_times = None if times is None else np.asarray(times)[user_items.data > 0]
        self._fitted = positive_entries(user_items)
        self._fit(self._fitted, kept_times, callback or no_tick)

    def recommend(  # noqa: PLR0917  the order and the names are those of `implicit`
        self,
        userid: IdOrIds,
        user_items: CSR,
        N: int = 10,  # noqa: N803
        filter_already_liked_items: bool = True,
        filter_items: npt.ArrayLike | None = None,
        recalculate_user: bool = False,
        items: npt.ArrayLike | None = None,
        *,
        idle_days: npt.ArrayLike | None = None,
    ) -> tuple[Ids, Vector]:
        """The N best items and their scores, best first, equal scores by id, scores above 0 only.

        One user: arrays that may be shorter than N. Several users: (n_users, N), row r of
        user_items belongs to userid[r]; an empty place is -1. Ids are int32. filter_items are left
        out; with items only those are ranked, those that nothing speaks for last, with the lowest
        number there is for a score. recalculate_user: compare the history given here, and not the
        fitted one, with the other users (models over items always use the history given here).
        idle_days: for every user, days since the newest event of the history; none have passed
        when it is not given. Only Blend makes something of it."""
        users = np.atleast_1d(np.asarray(userid, dtype=np.int64))
        idle = np.broadcast_to(
            np.asarray(0 if idle_days is None else idle_days, dtype=np.float32), users.shape
        )
        histories = self._histories(users, user_items)
        factor = self._factor(filter_items, items)
        best = self._best(
            users,
            histories,
            n=N,
            factor=factor,
            hide=filter_already_liked_items,
            recalculate=recalculate_user,
            idle=idle,
        )
        if items is not None:
            with_the_rest(best, items=items, met=histories if filter_already_liked_items else None)
        return one_or_all(userid, best)

    def similar_items(  # noqa: PLR0917  as in `implicit`
        self,
        itemid: IdOrIds,
        N: int = 10,  # noqa: N803
        recalculate_item: bool = False,
        item_users: CSR | None = None,
        filter_items: npt.ArrayLike | None = None,
        items: npt.ArrayLike | None = None,
    ) -> tuple[Ids, Vector]:
        """The item itself, then the items most similar to it; N in all, as `recommend` gives them.

        Itself counts 1.0, or as much as the most similar one where sums of weights go beyond.
        filter_items are left out; with items only those are ranked. Items are compared by a fit
        (or by LiveItems): recalculate_item raises NotImplementedError, as in `implicit`."""
        if recalculate_item or item_users is not None:
            raise NotImplementedError("items are compared by a fit; see LiveItems")
        factor = self._factor(filter_items, items)
        best = most_similar(self._item_table(), itemid, n=N, factor=factor)
        if items is not None:
            with_the_rest(best, items=items, met=None)
        return one_or_all(itemid, best)

    def similar_users(
        self,
        userid: IdOrIds,
        N: int = 10,  # noqa: N803
        filter_users: npt.ArrayLike | None = None,
        users: npt.ArrayLike | None = None,
    ) -> tuple[Ids, Vector]:
        """The user with 1.0, then the users most similar to her; N in all, as `similar_items`.

        filter_users are left out; with users only those are ranked."""
        table = self._user_table()
        factor = allowed(table.shape[0], without=filter_users, only=users)
        best = most_similar(table, userid, n=N, factor=factor)
        if users is not None:
            with_the_rest(best, items=users, met=None)
        return one_or_all(userid, best)

    def explain(
        self,
        userid: int,
        user_items: CSR,
        itemid: int,
        user_weights: CSR | None = None,
        N: int = 10,  # noqa: N803
    ) -> tuple[float, list[tuple[int, float]], CSR]:
        """The score of an item for a user, the N items of hers that add most, and her row.

        user_items: the matrix whose row `userid` is hers, or her row alone. user_weights: the row
        that an earlier call gave; it saves looking it up again."""
        row = user_weights
        if row is None:
            place = 0 if user_items.shape[0] == 1 else userid
            row = self._histories(np.array([userid]), user_items[place])
        parts = self.contributions(row.indices, itemid, row.data)
        return sum(amount for _, amount in parts), parts[:N], row

    def contributions(
        self, history: npt.ArrayLike, item: int, weights: npt.ArrayLike | None = None
    ) -> list[tuple[int, float]]:
        """Which items of the history (oldest first) speak for `item`, and how much, most first.

        The contributions add up to the score of the item. Empty when none does."""
        return []

    def co_counts(self, item_a: int, item_b: int) -> CoCount:
        """How many of the fitted users who met item a met item b too."""
        columns = pattern(self.fitted).tocsc()
        a, b = (
            columns.indices[columns.indptr[i] : columns.indptr[i + 1]] for i in (item_a, item_b)
        )
        return CoCount(both=len(np.intersect1d(a, b)), n=len(a))

    def save(self, fileobj_or_path: FileOrPath) -> None:
        """Write the fitted model as .npz, which is added to a path without it."""
        config = json.dumps(asdict(self.config))
        state = csr_to_state("fitted", self.fitted) | self._state()
        np.savez(fileobj_or_path, config=np.array(config), **cast("dict[str, Any]", state))

    @classmethod
    def load(cls, fileobj_or_path: FileOrPath) -> Self:
        """The model that `save` wrote to the same path; it gives the same answers.

        Raises ValueError when it is another kind of model."""
        with np.load(_with_suffix(fileobj_or_path), allow_pickle=False) as file:
            state = dict(file)
        try:
            model = cls(cls._read_config(json.loads(state["config"].item())))
            model._fitted = csr_from_state("fitted", state)
            model._restore(state)
        except (KeyError, TypeError) as error:
            raise ValueError(f"the file does not hold a {cls.__name__} model") from error
        return model

    @classmethod
    def _read_config(cls, values: dict[str, Any]) -> Any:
        return cls.Config(**values)

    @property
    def fitted(self) -> CSR:
        """The matrix the model was fitted on."""
        if self._fitted is None:
            raise ValueError(f"{type(self).__name__} has not been fitted")
        return self._fitted

    @abstractmethod
    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        """Learn; user_items has positive entries only."""

    def _state(self) -> dict[str, npt.NDArray[Any]]:
        return {}

    def _restore(  # noqa: B027  most models hold nothing more
        self, state: dict[str, npt.NDArray[Any]]
    ) -> None:
        """Take back what `_state` gave."""

    def _item_table(self) -> CSR:
        raise NotImplementedError(f"{type(self).__name__} does not compare items")

    def _user_table(self) -> CSR:
        raise NotImplementedError(f"{type(self).__name__} does not compare users")

    def _histories(self, users: Ids, user_items: CSR) -> CSR:
        n_items = self.fitted.shape[1]
        if not sparse.issparse(user_items) or user_items.format != "csr":
            raise ValueError("user_items must be a CSR matrix")
        histories = positive_entries(user_items)
        if histories.shape != (len(users), n_items):
            raise ValueError(f"user_items must have a row for each user and {n_items} columns")
        return histories

    def _factor(self, filter_items: npt.ArrayLike | None, items: npt.ArrayLike | None) -> Vector:
        """A one for every item that may be recommended."""
        return allowed(self.fitted.shape[1], without=filter_items, only=items)

    @abstractmethod
    def _best(
        self,
        users: Ids,
        histories: CSR,
        *,
        n: int,
        factor: Vector,
        hide: bool,
        recalculate: bool,
        idle: Vector,
    ) -> tuple[Ids, Matrix]:
        """The n best items of each history and their scores, best first.

        hide: leave out the items of the history.
        recalculate: a history may differ from the one that was learnt.
        idle: (n_users,) days since the newest event of each history."""


def _with_suffix(file: FileOrPath) -> FileOrPath:
    """numpy adds the suffix when it writes, but not when it reads."""
    if not isinstance(file, (str, PathLike)) or fspath(file).endswith(".npz"):
        return file
    return f"{fspath(file)}.npz"


def csr_from_state(name: str, state: dict[str, npt.NDArray[Any]]) -> CSR:
    """The matrix that `_csr_state` took apart."""
    parts = (state[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    return make_csr(*parts, shape=tuple(state[f"{name}_shape"].tolist()))


def csr_to_state(name: str, matrix: CSR) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a matrix under names of their own."""
    parts = {part: getattr(matrix, part) for part in ("data", "indices", "indptr")}
    return {f"{name}_{part}": array for part, array in parts.items()} | {
        f"{name}_shape": np.array(matrix.shape)
    }
