"""Tensors of the Open Inference Protocol."""

from typing import Any

import numpy as np
import pytest

from dashboard.serving import tensors

NO_BYTES = memoryview(b"")


def tensor(**values: Any) -> dict[str, Any]:
    return {"name": "a", "datatype": "FP32", "shape": [2], "data": [1, 2], **values}


def test_columns_become_records() -> None:
    inputs = [tensor(), tensor(name="b", datatype="BYTES", data=["x", "y"])]

    assert tensors.records_of(inputs, NO_BYTES, []) == [{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "y"}]


def test_a_column_of_one_is_a_single_value() -> None:
    assert tensors.records_of([tensor(shape=[2, 1])], NO_BYTES, []) == [{"a": 1.0}, {"a": 2.0}]


def test_binary_data_is_read() -> None:
    numbers = np.array([1.5, 2.5], dtype="<f4").tobytes()
    words = tensors.to_binary("BYTES", np.array(["é", ""], dtype=object))
    inputs = [
        {"name": "a", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
        {
            **{"name": "w", "datatype": "BYTES", "shape": [2]},
            "parameters": {"binary_data_size": len(words)},
        },
    ]

    found = tensors.records_of(inputs, memoryview(numbers + words), [])

    assert found == [{"a": 1.5, "w": "é"}, {"a": 2.5, "w": ""}]


@pytest.mark.parametrize(
    "inputs",
    [
        None,
        [],
        [1],
        [tensor(name="")],
        [tensor(datatype="FP128")],
        [tensor(shape=[3])],
        [tensor(shape=[-1])],
        [tensor(shape="x")],
        [tensor(data=None)],
        [tensor(data=["x", "y"])],
        [tensor(datatype="INT8", data=[300, 1])],
        [tensor(datatype="INT8", data=[1.5, 1])],
        [tensor(datatype="BOOL")],
        [tensor(), tensor()],
        [tensor(), tensor(name="b", shape=[1], data=[1])],
        [tensor(parameters={"binary_data_size": 8})],
        [tensor(parameters={"binary_data_size": True})],
    ],
)
def test_nonsense_is_refused(inputs: Any) -> None:
    with pytest.raises(tensors.BadTensor):
        tensors.records_of(inputs, NO_BYTES, [])


def test_left_over_bytes_are_refused() -> None:
    with pytest.raises(tensors.BadTensor):
        tensors.records_of([tensor()], memoryview(b"more"), [])


def test_probabilities_by_class_become_columns() -> None:
    outputs = [{"p": {"yes": 0.75, "no": 0.25}}]

    kind, values, parameters = tensors.tensors_of(outputs, ["p"], {})["p"]

    assert (kind, values.tolist(), parameters) == (
        "FP64",
        [[0.75, 0.25]],
        {"labels": ["yes", "no"]},
    )
