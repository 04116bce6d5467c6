"""Several models as one by the places they give an item, whatever their scores mean.

score(j) = sum over the models of weight / (damping + place of j in the model's list), place from 1.
Source: Cormack et al. 2009 (reciprocal rank fusion)."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.engines.collaborative_filtering.arrays import (
    CSR,
    Ids,
    Matrix,
    Times,
    Vector,
    as_csr,
    make_csr,
)
from jobs.engines.collaborative_filtering.item_table import strongest_first
from jobs.engines.collaborative_filtering.kernel import best_per_row
from jobs.engines.collaborative_filtering.recommender import Recommender

Parts = Sequence[tuple[float, Recommender]]


@dataclass(frozen=True)
class RankBlendConfig:
    """How places become scores."""

    damping: float = 20.0
    """Large: being in many lists counts; small: being first in one."""
    depth: int = 50
    """Places of every list that count."""


class RankBlend(Recommender):
    """A mixture of any models; parts are (weight, model), fitted here."""

    Config = RankBlendConfig
    config: RankBlendConfig
    kinds: Mapping[str, type[Recommender]] = {}
    """Models that a file may name; see `known_models`."""

    def __init__(self, config: RankBlendConfig | None = None, *, parts: Parts = ()) -> None:
        super().__init__(config)
        self.parts = list(parts)

    def contributions(
        self, history: npt.ArrayLike, item: int, weights: npt.ArrayLike | None = None
    ) -> list[tuple[int, float]]:
        items = np.asarray(history, dtype=np.int64)
        data = np.ones(len(items)) if weights is None else weights
        row = make_csr(data, items, np.array([0, len(items)]), shape=(1, self.fitted.shape[1]))
        totals = np.zeros(len(items))
        for weight, model in self.parts:
            place = self._place(model, row, item)
            reasons = dict(model.contributions(items, item, data)) if place else {}
            whole = sum(reasons.values())
            for position, member in enumerate(items.tolist()):
                if whole > 0 and member in reasons:
                    share = reasons[member] / whole
                    totals[position] += share * weight / (self.config.damping + place)
        return strongest_first(items, totals)

    def _place(self, model: Recommender, row: CSR, item: int) -> int:
        """The place of the item in the model's list for this history, from 1; 0 for none."""
        ids, _ = model.recommend([0], row, N=self.config.depth, recalculate_user=True)
        found = np.flatnonzero(ids[0] == item)
        return int(found[0]) + 1 if len(found) else 0

    def _fit(self, user_items: CSR, times: Times | None, tick: Callable[[float], None]) -> None:
        for place, (_, model) in enumerate(self.parts):
            model.fit(user_items, callback=_part_of(tick, place, len(self.parts)), times=times)

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
        depth = max(self.config.depth, n)
        total = as_csr(
            make_csr([], np.empty(0, int), np.zeros(len(users) + 1, int), shape=histories.shape)
        )
        for weight, model in self.parts:
            ids, _ = model._best(
                users,
                histories,
                n=depth,
                factor=factor,
                hide=hide,
                recalculate=recalculate,
                idle=idle,
            )
            total = total + self._scores(ids, weight, n_items=histories.shape[1])
        return best_per_row(as_csr(total), n=n)

    def _scores(self, ids: Ids, weight: float, *, n_items: int) -> CSR:
        filled = ids >= 0
        by_place = weight / (self.config.damping + np.arange(1, ids.shape[1] + 1))
        data = np.broadcast_to(by_place, ids.shape)[filled]
        ends = np.append(0, np.cumsum(filled.sum(axis=1)))
        return make_csr(data, ids[filled], ends, shape=(len(ids), n_items))

    def _state(self) -> dict[str, npt.NDArray[Any]]:
        names = [(weight, type(model).__name__) for weight, model in self.parts]
        state: dict[str, npt.NDArray[Any]] = {"parts": np.array(json.dumps(names))}
        for place, (_, model) in enumerate(self.parts):
            file = io.BytesIO()
            model.save(file)
            state[f"part_{place}"] = np.frombuffer(file.getvalue(), dtype=np.uint8)
        return state

    def _restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        for place, (weight, name) in enumerate(json.loads(state["parts"].item())):
            file = io.BytesIO(state[f"part_{place}"].tobytes())
            self.parts.append((weight, self.kinds[name].load(file)))


def _part_of(tick: Callable[[float], None], place: int, n_parts: int) -> Callable[[float], None]:
    return lambda fraction: tick((place + fraction) / n_parts)
