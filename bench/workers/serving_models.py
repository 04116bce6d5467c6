"""The models of bench/serving.py: a forest of 100 trees and a single tree that tell irises apart.

    python bench/workers/serving_models.py FOLDER [--sklearn-only]

Every environment has the same scikit-learn, so each trains the same forest; ours also writes it as ONNX, and the
tree as ONNX and as PMML."""

import sys
from pathlib import Path
from typing import Any

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

INPUT = "measures"
FIELDS = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def rows() -> list[list[float]]:
    """150 rows of four numbers that 32 bits hold exactly, so that every engine sees the same."""
    return [[float(value) for value in row] for row in load_iris().data.astype("float32")]


def write(folder: Path, *, sklearn_only: bool = False) -> None:
    """Train both and write them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    data, target = load_iris(return_X_y=True)
    data = data.astype("float32")
    forest = RandomForestClassifier(100, random_state=1).fit(data, target)
    joblib.dump(forest, folder / "forest.joblib")
    if sklearn_only:
        return
    tree = DecisionTreeClassifier(max_depth=5, random_state=1).fit(data, target)
    for name, model in (("forest", forest), ("tree", tree)):
        (folder / f"{name}.onnx").write_bytes(_onnx(model))
    (folder / "tree.pmml").write_text(_pmml(tree), encoding="utf-8")


def _onnx(model: Any) -> bytes:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    types = [(INPUT, FloatTensorType([None, len(FIELDS)]))]
    written: bytes = to_onnx(
        model, initial_types=types, options={"zipmap": False}, target_opset=17
    ).SerializeToString()
    return written


def _pmml(model: DecisionTreeClassifier) -> str:
    fields = "".join(
        f'<DataField name="{name}" optype="continuous" dataType="double"/>' for name in FIELDS
    )
    classes = "".join(f'<Value value="{each}"/>' for each in model.classes_)
    mining = "".join(
        f'<MiningField name="{name}" missingValueTreatment="returnInvalid"/>' for name in FIELDS
    )
    outputs = "".join(
        f'<OutputField name="probability_{each}" optype="continuous" dataType="double" feature="probability" value="{each}"/>'
        for each in model.classes_
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/>
<DataDictionary>{fields}<DataField name="species" optype="categorical" dataType="string">{classes}</DataField></DataDictionary>
<TreeModel modelName="irises" functionName="classification" splitCharacteristic="binarySplit">
<MiningSchema>{mining}<MiningField name="species" usageType="target"/></MiningSchema>
<Output><OutputField name="predicted_species" optype="categorical" dataType="string" feature="predictedValue"/>{outputs}</Output>
{_node(model, 0, "<True/>")}</TreeModel></PMML>
"""


def _node(model: DecisionTreeClassifier, number: int, predicate: str) -> str:
    tree = model.tree_
    shares = tree.value[number][0]
    counts = shares / shares.sum() * tree.n_node_samples[number]
    inside = "".join(
        f'<ScoreDistribution value="{each}" recordCount="{count}"/>'
        for each, count in zip(model.classes_, counts, strict=True)
    )
    left, right = tree.children_left[number], tree.children_right[number]
    if left != right:
        name, limit = FIELDS[tree.feature[number]], float(tree.threshold[number])
        for child, operator in ((left, "lessOrEqual"), (right, "greaterThan")):
            split = f'<SimplePredicate field="{name}" operator="{operator}" value="{limit!r}"/>'
            inside += _node(model, child, split)
    return f'<Node id="{number}" score="{model.classes_[shares.argmax()]}">{predicate}{inside}</Node>\n'


if __name__ == "__main__":
    write(Path(sys.argv[1]), sklearn_only="--sklearn-only" in sys.argv)
