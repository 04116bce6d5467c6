"""The models on offer, with parameters that do for tables of hundreds to some hundred thousand rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

N_TREES, N_BOOSTED, N_NEIGHBOURS, MAX_DEPTH = 200, 100, 15, 8
# A leaf of a few rows keeps single trees from learning the table by heart.
MIN_LEAF = 3


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A model on offer: how one is made for classes and for numbers; both take a seed."""

    name: str
    classifier: Callable[[int], Any]
    regressor: Callable[[int], Any]


ALGORITHMS = {
    each.name: each
    for each in (
        Algorithm(
            "linear",
            lambda seed: LogisticRegression(max_iter=2000, random_state=seed),
            lambda seed: Ridge(random_state=seed),
        ),
        Algorithm(
            "tree",
            lambda seed: DecisionTreeClassifier(
                max_depth=MAX_DEPTH, min_samples_leaf=MIN_LEAF, random_state=seed
            ),
            lambda seed: DecisionTreeRegressor(
                max_depth=MAX_DEPTH, min_samples_leaf=MIN_LEAF, random_state=seed
            ),
        ),
        Algorithm(
            "random_forest",
            lambda seed: RandomForestClassifier(N_TREES, random_state=seed),
            lambda seed: RandomForestRegressor(N_TREES, random_state=seed),
        ),
        Algorithm(
            "gradient_boosting",
            lambda seed: GradientBoostingClassifier(n_estimators=N_BOOSTED, random_state=seed),
            lambda seed: GradientBoostingRegressor(n_estimators=N_BOOSTED, random_state=seed),
        ),
        Algorithm(
            "nearest_neighbours",
            lambda _seed: KNeighborsClassifier(N_NEIGHBOURS, weights="uniform"),
            lambda _seed: KNeighborsRegressor(N_NEIGHBOURS, weights="uniform"),
        ),
    )
}


def algorithms_for(names: list[str]) -> list[Algorithm]:
    """The algorithms of these names, each once; KeyError for an unknown one."""
    return [ALGORITHMS[name] for name in dict.fromkeys(names)]
