"""Tensors of the Open Inference Protocol."""

from typing import Any

import numpy as np
import pytest

from dashboard.serving import tensors
from dashboard.serving.services.fields import FieldView

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
        [tensor(shape=[10**12, 0], data=[])],
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


def test_texts_that_cannot_be_there_take_no_memory() -> None:
    claimed = {"name": "a", "datatype": "BYTES", "shape": [10**14]}
    with pytest.raises(tensors.BadTensor):
        tensors.records_of(
            [claimed | {"parameters": {"binary_data_size": 4}}], memoryview(b"\0" * 4), []
        )


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


class TestMLServerCodecs:
    """Bodies as MLServer 1.7.1's codecs make them: PandasCodec, NumpyRequestCodec and StringCodec.encode_request or
    encode_input, printed by pydantic's model_dump_json(exclude_none=True)."""

    HOURS = {"name": "hours", "shape": [2, 1], "datatype": "FP64", "data": [5.0, 1.0]}
    FIELDS = tuple(
        FieldView(name, kind, "", [], None, None, [], True, "")
        for name, kind in (("hours", "double"), ("level", "string"))
    )

    def records(self, body: dict[str, Any], fields: Any = FIELDS) -> Any:
        content_type = body.get("parameters", {}).get("content_type", "")
        return tensors.records_of(body["inputs"], NO_BYTES, fields, content_type=content_type)

    def level(self, content_type: str, data: list[str]) -> dict[str, Any]:
        return {
            **{"name": "level", "shape": [2, 1], "datatype": "BYTES", "data": data},
            "parameters": {"content_type": content_type},
        }

    @pytest.mark.parametrize(
        ("content_type", "data"),
        [
            ("str", ["low", "high"]),
            ("base64", ["bG93", "aGlnaA=="]),
            ("pd_json", ['"low"', '"high"']),
        ],
    )
    def test_a_data_frame(self, content_type: str, data: list[str]) -> None:
        inputs = [self.HOURS, self.level(content_type, data)]

        found = self.records({"parameters": {"content_type": "pd"}, "inputs": inputs})

        assert found == [{"hours": 5.0, "level": "low"}, {"hours": 1.0, "level": "high"}]

    def test_an_array_holds_all_inputs(self) -> None:
        matrix = {
            **{"name": "input-1", "shape": [2, 2], "datatype": "FP32"},
            **{"parameters": {"content_type": "np"}, "data": [1.0, 2.0, 3.0, 4.0]},
        }
        body = {"parameters": {"content_type": "np"}, "inputs": [matrix]}
        row = FieldView("row", "tensor(float)", "", [], None, None, [2], True, "")

        assert self.records(body) == [{"hours": 1, "level": 2}, {"hours": 3, "level": 4}]
        assert self.records(body, (row,)) == [{"row": [1, 2]}, {"row": [3, 4]}]

    def test_nan_comes_as_null(self) -> None:
        hours = {**self.HOURS, "data": [1.0, None]}

        assert self.records({"inputs": [hours]}) == [{"hours": 1.0}, {"hours": None}]

    @pytest.mark.parametrize("content_type", ["base64", "pd_json"])
    def test_what_is_not_encoded_so_is_refused(self, content_type: str) -> None:
        with pytest.raises(tensors.BadTensor):
            self.records({"inputs": [self.level(content_type, ["{", "high"])]})
