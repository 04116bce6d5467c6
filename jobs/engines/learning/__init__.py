"""Learns a small scikit-learn model from a table, judges it by cross-validation and exports it as ONNX.

table = read_table(Path("iris.csv"))
learnt = learn(table, target="species", algorithms=["logistic", "random_forest"])
Path("iris.onnx").write_bytes(learnt.onnx)
"""

from jobs.engines.learning.menu import ALGORITHMS, Algorithm, algorithms_for
from jobs.engines.learning.metrics import (
    ClassificationMetrics,
    RegressionMetrics,
    roc_points,
)
from jobs.engines.learning.table import BadTable, Column, Table, read_table
from jobs.engines.learning.training import Learnt, Score, Unlearnable, baseline_of, learn

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "BadTable",
    "ClassificationMetrics",
    "Column",
    "Learnt",
    "RegressionMetrics",
    "Score",
    "Table",
    "Unlearnable",
    "algorithms_for",
    "baseline_of",
    "learn",
    "read_table",
    "roc_points",
]
