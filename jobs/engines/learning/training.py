"""From a table to a judged model in ONNX form."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from jobs.engines.learning.menu import Algorithm, algorithms_for
from jobs.engines.learning.metrics import (
    ClassificationMetrics,
    RegressionMetrics,
    judge_classes,
    judge_numbers,
)
from jobs.engines.learning.table import MAX_CATEGORIES, Column, Table

MIN_ROWS, MAX_CLASSES = 20, 50
N_FOLDS = 5
# Rows that the importance of columns is judged by: enough to be steady, few enough to be quick.
IMPORTANCE_ROWS, IMPORTANCE_REPEATS = 2000, 5
# Bins of the baseline that drift is measured against: ten is what PSI's rules of thumb speak of.
N_BINS = 10

Progress = Callable[[float, str], None]
"""Fraction done, and the name of the algorithm or "export"; it may raise to stop."""


class Unlearnable(ValueError):
    """There is nothing to learn in this table for this target; the message says why."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one algorithm did: the mean over held-out folds, and each fold (accuracy, or R²)."""

    algorithm: str
    mean: float
    folds: list[float]


@dataclass(frozen=True, slots=True)
class Learnt:
    """The best of the algorithms tried, fitted to every row."""

    task: str
    """classification or regression"""
    algorithm: str
    scores: list[Score]
    metrics: ClassificationMetrics | RegressionMetrics
    importance: list[tuple[str, float]]
    """Input -> how much the score falls when its values are shuffled; most important first."""
    inputs: list[str]
    left_out: dict[str, str]
    """Column -> why it was not used."""
    n_rows: int
    onnx: bytes = field(repr=False)
    baseline: dict[str, Any] = field(repr=False)


def learn(
    table: Table,
    *,
    target: str,
    algorithms: list[str],
    seed: int = 0,
    progress: Progress = lambda _fraction, _what: None,
) -> Learnt:
    """Cross-validate each algorithm on the rows that have a target, and fit the best one to all of them.

    A numeric target of more than twenty different values is predicted as a number, any other as a class.
    Raises Unlearnable, and KeyError for an unknown target or algorithm.
    """
    wanted, menu = table.column(target), algorithms_for(algorithms)
    if not menu:
        raise Unlearnable("choose at least one algorithm")
    kept = np.array([text != "" for text in wanted.texts])
    classes = _is_class(wanted)
    y, names = _target(wanted, kept, classes=classes)
    inputs, left_out = _inputs(table, target, kept)
    x = _matrix(inputs, kept)
    folds = _folds(y, names, seed=seed, classes=classes)
    scores, held_out = [], {}
    for place, algorithm in enumerate(menu):
        progress(0.8 * place / len(menu), algorithm.name)
        make = partial(_new_pipeline, inputs, algorithm, seed=seed, classes=classes)
        scored, predicted = _cross_validate(make, x, y, folds, names)
        scores.append(Score(algorithm.name, float(np.mean(scored)), scored))
        held_out[algorithm.name] = predicted
    best = max(scores, key=lambda score: score.mean)
    progress(0.8, "export")
    chosen = next(algorithm for algorithm in menu if algorithm.name == best.algorithm)
    model = _new_pipeline(inputs, chosen, seed=seed, classes=classes).fit(x, y)
    found = held_out[best.algorithm]
    metrics: ClassificationMetrics | RegressionMetrics = (
        judge_classes(y, found, names) if classes else judge_numbers(y, found)
    )
    return Learnt(
        task="classification" if classes else "regression",
        algorithm=best.algorithm,
        scores=scores,
        metrics=metrics,
        importance=_importance(model, x, y, [c.name for c in inputs], seed=seed),
        inputs=[column.name for column in inputs],
        left_out=left_out,
        n_rows=len(y),
        onnx=_export(model, inputs),
        baseline=baseline_of(inputs, kept),
    )


def baseline_of(columns: list[Column], kept: NDArray[np.bool_] | None = None) -> dict[str, Any]:
    """How each input is spread: of numbers the edges of ten bins with equal shares of the rows, of categories their
    shares; the last bin is for everything that was not seen.

    {name: {"edges": [...], "shares": [...]}} or {name: {"values": [...], "shares": [...]}}
    """
    return {
        column.name: _spread(column, np.ones(len(column.texts), bool) if kept is None else kept)
        for column in columns
    }


def _spread(column: Column, kept: NDArray[np.bool_]) -> dict[str, Any]:
    if column.numbers is not None:
        values = column.numbers[kept]
        values = values[~np.isnan(values)]
        edges = np.unique(np.quantile(values, np.linspace(0, 1, N_BINS + 1)))
        if len(edges) < 2:
            edges = np.array([edges[0], edges[0] + 1.0])
        counts, _edges = np.histogram(values, edges)
        shares = [*(counts / max(1, len(values))), 0.0]
        return {"edges": [float(e) for e in edges], "shares": [round(float(s), 6) for s in shares]}
    texts = [text for text, keep in zip(column.texts, kept, strict=True) if keep and text]
    names = sorted(set(texts))
    shares = [texts.count(name) / max(1, len(texts)) for name in names]
    return {"values": names, "shares": [*(round(s, 6) for s in shares), 0.0]}


def _is_class(column: Column) -> bool:
    if column.numbers is None:
        return True
    values = column.numbers[~np.isnan(column.numbers)]
    return len(np.unique(values)) <= 20 and bool(np.all(values == np.round(values)))


def _target(
    column: Column, kept: NDArray[np.bool_], *, classes: bool
) -> tuple[NDArray[Any], list[str]]:
    """The target of the kept rows, and the names of its classes."""
    if int(kept.sum()) < MIN_ROWS:
        raise Unlearnable(f"{int(kept.sum())} rows have a target; at least {MIN_ROWS} are needed")
    if not classes:
        return np.asarray(column.numbers)[kept], []
    texts = np.array(column.texts)[kept]
    names, counts = np.unique(texts, return_counts=True)
    if len(names) < 2:
        raise Unlearnable(f"{column.name} has one value only")
    if len(names) > MAX_CLASSES:
        raise Unlearnable(f"{column.name} has {len(names)} different texts; at most {MAX_CLASSES}")
    if counts.min() < 2:
        rare = names[counts.argmin()]
        raise Unlearnable(f"{column.name} has {rare!r} once only: every class is needed twice")
    return texts, [str(name) for name in names]


def _inputs(
    table: Table, target: str, kept: NDArray[np.bool_]
) -> tuple[list[Column], dict[str, str]]:
    """The columns to learn from, numbers first, and why the others are not among them."""
    used, left_out = [], {}
    for column in table.columns:
        if column.name == target:
            continue
        texts = {text for text, keep in zip(column.texts, kept, strict=True) if keep and text}
        if len(texts) < 2:
            left_out[column.name] = "constant"
        elif not column.numeric and len(texts) > MAX_CATEGORIES:
            left_out[column.name] = "too_many_values"
        else:
            used.append(column)
    if not used:
        raise Unlearnable("no column is left to learn from")
    return sorted(used, key=lambda column: not column.numeric), left_out


def _matrix(columns: list[Column], kept: NDArray[np.bool_]) -> NDArray[Any]:
    """(n_rows, n_columns), objects: float32 numbers as ONNX will get them, and texts."""
    x = np.empty((int(kept.sum()), len(columns)), dtype=object)
    for place, column in enumerate(columns):
        values: Any = column.numbers if column.numbers is not None else np.array(column.texts)
        x[:, place] = (
            values[kept].astype(np.float32).astype(object)
            if column.numeric
            else values[kept].astype(object)
        )
    return x


def _new_pipeline(
    columns: list[Column], algorithm: Algorithm, *, seed: int, classes: bool
) -> Pipeline:
    """The columns made fit for the algorithm, and the algorithm; not trained yet."""
    numbers = [place for place, column in enumerate(columns) if column.numeric]
    texts = [place for place, column in enumerate(columns) if not column.numeric]
    parts: list[Any] = []
    if numbers:
        fill = Pipeline([("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
        parts.append(("numbers", fill, numbers))
    if texts:
        parts.append(("texts", OneHotEncoder(handle_unknown="ignore"), texts))
    # Dense: boosting takes no sparse matrices, and a hundred categories are few.
    shape = ColumnTransformer(parts, sparse_threshold=0.0)
    estimator = (algorithm.classifier if classes else algorithm.regressor)(seed)
    return Pipeline([("shape", shape), ("model", estimator)])


def _folds(y: NDArray[Any], names: list[str], *, seed: int, classes: bool) -> list[Any]:
    if not classes:
        return list(KFold(N_FOLDS, shuffle=True, random_state=seed).split(y))
    rarest = min(int((y == name).sum()) for name in names)
    splitter = StratifiedKFold(min(N_FOLDS, rarest), shuffle=True, random_state=seed)
    return list(splitter.split(y, y))


def _cross_validate(
    make: Callable[[], Pipeline],
    x: NDArray[Any],
    y: NDArray[Any],
    folds: list[Any],
    names: list[str],
) -> tuple[list[float], NDArray[np.float64]]:
    """The score of each fold, and for every row what a model that had not seen it predicts."""
    found = np.zeros((len(y), len(names)) if names else len(y))
    scores = []
    for train, test in folds:
        model = make().fit(x[train], y[train])
        if names:
            columns = [names.index(str(name)) for name in model.classes_]
            found[np.ix_(test, columns)] = model.predict_proba(x[test])
        else:
            found[test] = model.predict(x[test])
        score = float(model.score(x[test], y[test]))
        scores.append(score if math.isfinite(score) else 0.0)
    return scores, found


def _importance(
    model: Pipeline, x: NDArray[Any], y: NDArray[Any], names: list[str], *, seed: int
) -> list[tuple[str, float]]:
    taken = np.random.default_rng(seed).permutation(len(y))[:IMPORTANCE_ROWS]
    found = permutation_importance(
        model, x[taken], y[taken], n_repeats=IMPORTANCE_REPEATS, random_state=seed
    )
    pairs = zip(names, found.importances_mean.tolist(), strict=True)
    return sorted(((name, float(value)) for name, value in pairs), key=lambda pair: -pair[1])


def _export(model: Pipeline, columns: list[Column]) -> bytes:
    """The fitted pipeline as ONNX: an input for each column, of shape (rows, 1)."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = [
        (column.name, (FloatTensorType if column.numeric else StringTensorType)([None, 1]))
        for column in columns
    ]
    converted = convert_sklearn(model, "atrium", initial_types=types, target_opset=17)
    return bytes(converted.SerializeToString())
