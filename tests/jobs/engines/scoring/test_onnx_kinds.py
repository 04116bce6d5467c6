"""ONNX files beyond a table of floats: other types, shapes and outputs, and what no record can hold."""

from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from jobs.engines.scoring.errors import RefusedModel
from jobs.engines.scoring.scorer import Scorer

N = None


def tensor(name: str, type_: int, shape: list[int | str | None] | None) -> Any:
    return helper.make_tensor_value_info(name, type_, shape)


def load(path: Path, nodes: list[Any], given: Any, *found: Any, constants: Any = ()) -> Scorer:
    graph = helper.make_graph(nodes, "graph", [given], list(found), list(constants))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return Scorer(path, memory_bytes=2**28)


@pytest.mark.parametrize(
    "case",
    [
        (TensorProto.FLOAT16, [N, 2], "Neg", [1.0, 2.0], [-1.0, -2.0]),
        (TensorProto.DOUBLE, [N, 1], "Neg", 0.1, -0.1),
        (TensorProto.INT64, [N, 1], "Neg", 2**53, -(2**53)),
        (TensorProto.BOOL, [N, 1], "Not", True, False),
        (TensorProto.STRING, [N, 1], "Identity", "杭州", "杭州"),
        (TensorProto.FLOAT, [], "Neg", 3.0, -3.0),
        (TensorProto.FLOAT, [1, 2], "Neg", [1.0, 2.0], [-1.0, -2.0]),
        (TensorProto.FLOAT, ["batch", 1, 1, 2], "Neg", [[[1.0, 2.0]]], [[[-1.0, -2.0]]]),
        # No number: JSON has no word for it.
        (TensorProto.FLOAT, [N, 1], "Log", -1.0, None),
    ],
)
def test_answers_each_record(tmp_path: Path, case: tuple[Any, ...]) -> None:
    type_, shape, operator, value, answer = case
    node = helper.make_node(operator, ["a"], ["b"])
    scorer = load(tmp_path / "m", [node], tensor("a", type_, shape), tensor("b", type_, shape))

    found = scorer.answer([{"a": value}, {"a": value}]).outputs

    assert found == [{"b": answer}] * 2


def test_names_classes_and_knows_a_classifier_by_its_outputs(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ArgMax", ["a"], ["label"], axis=1, keepdims=0),
        helper.make_node(
            "ZipMap",
            ["a"],
            ["probabilities"],
            domain="ai.onnx.ml",
            classlabels_strings=["no", "是"],
        ),
    ]
    shares = helper.make_value_info(
        "probabilities",
        helper.make_sequence_type_proto(
            helper.make_map_type_proto(
                TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, None)
            )
        ),
    )
    scorer = load(
        tmp_path / "m",
        nodes,
        tensor("a", TensorProto.FLOAT, [N, 2]),
        tensor("label", TensorProto.INT64, [N]),
        shares,
    )

    assert scorer.description.model_type == "classification"
    (found,) = scorer.answer({"a": [0.25, 0.75]}).outputs
    assert found == {"label": 1, "probabilities": {"no": 0.25, "是": 0.75}}


@pytest.mark.parametrize(
    ("given", "node"),
    [
        (
            tensor("a", TensorProto.BFLOAT16, [N, 2]),
            helper.make_node("Cast", ["a"], ["b"], to=TensorProto.FLOAT),
        ),
        (
            helper.make_tensor_sequence_value_info("a", TensorProto.FLOAT, None),
            helper.make_node("ConcatFromSequence", ["a"], ["b"], axis=0),
        ),
    ],
)
def test_refuses_inputs_that_no_record_can_hold(tmp_path: Path, given: Any, node: Any) -> None:
    with pytest.raises(RefusedModel, match=r"the input 'a' is a .* which no record can hold"):
        load(tmp_path / "m", [node], given, tensor("b", TensorProto.FLOAT, None))


def test_does_not_tell_where_the_file_is(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["a"], ["b"])
    with pytest.raises(RefusedModel) as caught:
        load(
            tmp_path / "m",
            [node],
            tensor("a", TensorProto.COMPLEX64, [N, 2]),
            tensor("b", TensorProto.COMPLEX64, [N, 2]),
        )

    assert str(tmp_path) not in caught.value.reason
