"""How good predictions on held-out rows are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

# A curve of more points than a screen has columns shows no more.
MAX_POINTS = 500


@dataclass(frozen=True, slots=True)
class ClassificationMetrics:
    """Of predicted classes. confusion: row is the true class, column the predicted one, in the order of `classes`."""

    classes: list[str]
    accuracy: float
    balanced_accuracy: float
    f1_macro: float
    log_loss: float
    auc: float | None
    """Area under the ROC curve, one class against the rest, mean over classes; None without two classes."""
    confusion: list[list[int]]
    roc: dict[str, list[tuple[float, float]]]
    """class -> (false positive rate, true positive rate) of falling thresholds."""


@dataclass(frozen=True, slots=True)
class RegressionMetrics:
    """Of predicted numbers, in the target's unit (r2: share of the variance explained)."""

    r2: float
    rmse: float
    mae: float
    points: list[tuple[float, float]]
    """(true, predicted) of at most MAX_POINTS rows, evenly taken."""


def judge_classes(
    truth: NDArray[np.str_], probabilities: NDArray[np.float64], classes: list[str]
) -> ClassificationMetrics:
    """Metrics of held-out rows. truth: (n_rows,); probabilities: (n_rows, n_classes), columns as `classes`."""
    names = np.array(classes)
    predicted = names[probabilities.argmax(axis=1)]
    hits = np.stack([truth == name for name in classes], axis=1)
    return ClassificationMetrics(
        classes=classes,
        accuracy=float(metrics.accuracy_score(truth, predicted)),
        balanced_accuracy=float(metrics.balanced_accuracy_score(truth, predicted)),
        f1_macro=float(metrics.f1_score(truth, predicted, average="macro", zero_division=0.0)),
        log_loss=float(metrics.log_loss(truth, probabilities, labels=classes)),
        auc=float(metrics.roc_auc_score(hits, probabilities, average="macro")),
        confusion=metrics.confusion_matrix(truth, predicted, labels=classes).tolist(),
        roc={
            name: roc_points(hits[:, place], probabilities[:, place])
            for place, name in enumerate(classes)
        },
    )


def judge_numbers(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> RegressionMetrics:
    """Metrics of held-out rows; both (n_rows,)."""
    taken = np.linspace(0, len(truth) - 1, min(len(truth), MAX_POINTS)).astype(int)
    return RegressionMetrics(
        r2=float(metrics.r2_score(truth, predicted)),
        rmse=float(metrics.root_mean_squared_error(truth, predicted)),
        mae=float(metrics.mean_absolute_error(truth, predicted)),
        points=[(float(truth[n]), float(predicted[n])) for n in taken],
    )


def roc_points(hits: NDArray[np.bool_], scores: NDArray[np.float64]) -> list[tuple[float, float]]:
    """The ROC curve of scores, higher meaning surer, thinned to MAX_POINTS."""
    false_rate, true_rate, _thresholds = metrics.roc_curve(hits, scores)
    taken = np.unique(
        np.linspace(0, len(false_rate) - 1, min(len(false_rate), MAX_POINTS)).astype(int)
    )
    return [(float(false_rate[n]), float(true_rate[n])) for n in taken]
