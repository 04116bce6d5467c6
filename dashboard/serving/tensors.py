"""Tensors of the Open Inference Protocol (v2), in JSON or in its binary extension, to records and back.

Protocol: https://github.com/kserve/open-inference-protocol; binary extension:
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html
MLServer's clients say in the parameter `content_type` what they made the tensors of ("np", "pd", "str", "base64",
"pd_json"); https://mlserver.readthedocs.io/en/latest/user-guide/content-type.html
"""

import base64
import binascii
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from dashboard.serving.services.fields import FieldView

Record = dict[str, Any]
TYPES: dict[str, Any] = {
    **{"BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32},
    **{"UINT64": np.uint64, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32},
    **{"INT64": np.int64, "FP16": np.float16, "FP32": np.float32, "FP64": np.float64},
}
_ONNX = {
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(float16)": "FP16",
    "tensor(bool)": "BOOL",
    **{
        f"tensor({kind}{bits})": f"{name}{bits}"
        for kind, name in (("int", "INT"), ("uint", "UINT"))
        for bits in (8, 16, 32, 64)
    },
}
_PLAIN = {"integer": "INT64", "real": "FP64", "boolean": "BOOL"}
MAX_RANK = 8


class BadTensor(ValueError):
    """The request is no inference request; the message says why."""


def datatype_of(field: FieldView) -> str:
    """The protocol's type of an input or output."""
    return _ONNX.get(field.type) or _PLAIN.get(field.kind, "BYTES")


def describe(field: FieldView) -> dict[str, Any]:
    """Name, datatype and shape, -1 for what may vary; the first is the number of records."""
    shape = [-1, *(-1 if size is None else size for size in field.dimension)]
    return {"name": field.name, "datatype": datatype_of(field), "shape": shape}


def records_of(
    inputs: Any, binary: memoryview, fields: Sequence[FieldView], *, content_type: str = ""
) -> list[Record]:
    """The records in the inputs of a request. Raises BadTensor.

    `content_type` "np": a single nameless matrix holds all inputs, one column each or in one row.
    """
    if not isinstance(inputs, list) or not inputs:
        raise BadTensor("inputs must be a list of tensors")
    columns: dict[str, list[Any]] = {}
    offset = 0
    dimensions = {field.name: field.dimension for field in fields}
    for tensor in inputs:
        name, values, offset = _tensor(tensor, binary, offset)
        if name in columns:
            raise BadTensor(f"input {name} is given twice")
        if content_type == "np" and len(inputs) == 1 and name not in dimensions:
            columns |= _of_matrix(name, values, fields)
        else:
            columns[name] = _rows(values, dimensions.get(name, []))
    if offset != len(binary):
        raise BadTensor(f"{len(binary) - offset} bytes belong to no input")
    lengths = {len(rows) for rows in columns.values()}
    if len(lengths) != 1:
        raise BadTensor("all inputs need the same number of records")
    return [{name: rows[place] for name, rows in columns.items()} for place in range(lengths.pop())]


def tensors_of(
    outputs: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    datatypes: Mapping[str, str],
) -> dict[str, tuple[str, np.ndarray[Any, Any], dict[str, Any]]]:
    """Output -> datatype, values (records first) and parameters. Probabilities by class become columns, their names
    a parameter "labels"; what has no type of its own is BYTES."""
    found: dict[str, tuple[str, np.ndarray[Any, Any], dict[str, Any]]] = {}
    for name in names:
        values = [record.get(name) for record in outputs]
        parameters: dict[str, Any] = {}
        if values and all(isinstance(value, dict) for value in values):
            labels = list(dict.fromkeys(label for value in values for label in value))  # type: ignore[union-attr]
            values = [[value.get(label) for label in labels] for value in values]  # type: ignore[union-attr]
            parameters = {"labels": [str(label) for label in labels]}
            datatype = "FP64"
        else:
            datatype = _fitting(datatypes.get(name, "BYTES"), values)
        if datatype == "BYTES":
            texts = np.empty(len(values), dtype=object)
            texts[:] = [_text(value) for value in values]
            found[name] = (datatype, texts, {**parameters, "content_type": "str"})
        else:
            found[name] = (datatype, np.array(values, dtype=TYPES[datatype]), parameters)
    return found


def to_binary(datatype: str, values: np.ndarray[Any, Any]) -> bytes:
    """The values as the binary extension sends them: little-endian, texts with their length before them."""
    if datatype == "BYTES":
        parts = [str(value).encode() for value in values.ravel()]
        return b"".join(struct.pack("<I", len(part)) + part for part in parts)
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def _tensor(tensor: Any, binary: memoryview, offset: int) -> tuple[str, np.ndarray[Any, Any], int]:
    if not isinstance(tensor, dict):
        raise BadTensor("an input must be an object")
    name, datatype, shape = tensor.get("name"), tensor.get("datatype"), tensor.get("shape")
    if not isinstance(name, str) or not name:
        raise BadTensor("an input has no name")
    if datatype != "BYTES" and datatype not in TYPES:
        raise BadTensor(f"input {name}: unknown datatype {str(datatype)[:40]!r}")
    n_values = _size(name, shape)
    parameters = tensor.get("parameters") or {}
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is not None:
        if (
            isinstance(size, bool)
            or not isinstance(size, int)
            or not 0 <= size <= len(binary) - offset
        ):
            raise BadTensor(f"input {name}: binary_data_size does not fit the body")
        values = _from_binary(name, datatype, binary[offset : offset + size], n_values)
        offset += size
    else:
        values = _from_json(name, datatype, tensor.get("data"), n_values)
    if datatype == "BYTES" and isinstance(parameters, dict):
        values = _decoded(name, values, str(parameters.get("content_type", "")))
    return name, values.reshape(shape), offset


def _of_matrix(
    name: str, values: np.ndarray[Any, Any], fields: Sequence[FieldView]
) -> dict[str, list[Any]]:
    if len(fields) == 1:
        return {fields[0].name: _rows(values, fields[0].dimension)}
    if values.ndim == 2 and values.shape[1] == len(fields) and not any(f.dimension for f in fields):
        return {field.name: values[:, place].tolist() for place, field in enumerate(fields)}
    return {name: _rows(values, [])}


def _decoded(name: str, values: np.ndarray[Any, Any], content_type: str) -> np.ndarray[Any, Any]:
    """Texts as their sender means them."""
    found = np.empty(len(values), dtype=object)
    try:
        if content_type == "base64":
            found[:] = [
                base64.b64decode(v, validate=True).decode() if isinstance(v, str) else v
                for v in values
            ]
        elif content_type == "pd_json":
            found[:] = [orjson.loads(v) if isinstance(v, str) else v for v in values]
        else:
            return values
    except (binascii.Error, ValueError) as error:
        raise BadTensor(f"input {name}: a value is no {content_type}") from error
    return found


def _size(name: str, shape: Any) -> int:
    whole = isinstance(shape, list) and 0 < len(shape) <= MAX_RANK
    if not whole or not all(
        # A tensor of no values could still claim any number of records.
        isinstance(n, int) and not isinstance(n, bool) and n > 0
        for n in shape
    ):
        raise BadTensor(f"input {name}: shape must be a list of whole numbers, 1 or more")
    size = 1
    for n in shape:
        size *= n
    return size


def _from_json(name: str, datatype: str, data: Any, n_values: int) -> np.ndarray[Any, Any]:
    if not isinstance(data, list):
        raise BadTensor(f"input {name} has no data")
    flat: list[Any] = []
    _flatten(data, flat, depth=0, name=name)
    if len(flat) != n_values:
        raise BadTensor(f"input {name}: {len(flat)} values, the shape says {n_values}")
    if datatype == "BYTES":
        values = np.empty(n_values, dtype=object)
        values[:] = flat
        return values
    if None in flat:
        # A missing value; whoever checks the records knows whether the model allows it.
        present = [value for value in flat if value is not None]
        numbers = iter(_from_json(name, datatype, present, len(present)).tolist())
        values = np.empty(n_values, dtype=object)
        values[:] = [None if value is None else next(numbers) for value in flat]
        return values
    kinds = (bool,) if datatype == "BOOL" else (int, float)
    if not all(
        isinstance(v, kinds) and (datatype == "BOOL" or not isinstance(v, bool)) for v in flat
    ):
        raise BadTensor(f"input {name}: a value is no {datatype}")
    try:
        if datatype.startswith(("INT", "UINT")) and any(v != int(v) for v in flat):
            raise BadTensor(f"input {name}: a value is no {datatype}")
        return np.array(flat, dtype=TYPES[datatype])
    except (OverflowError, ValueError) as error:
        raise BadTensor(f"input {name}: a value is no {datatype}") from error


def _flatten(data: list[Any], into: list[Any], *, depth: int, name: str) -> None:
    if depth > MAX_RANK:
        raise BadTensor(f"input {name}: data is nested too deeply")
    for value in data:
        if isinstance(value, list):
            _flatten(value, into, depth=depth + 1, name=name)
        else:
            into.append(value)


def _from_binary(name: str, datatype: str, data: memoryview, n_values: int) -> np.ndarray[Any, Any]:
    if datatype != "BYTES":
        kind = np.dtype(TYPES[datatype]).newbyteorder("<")
        if len(data) != n_values * kind.itemsize:
            raise BadTensor(f"input {name}: {len(data)} bytes, the shape says {n_values} values")
        return np.frombuffer(data, dtype=kind)
    if 4 * n_values > len(data):
        raise BadTensor(f"input {name}: {len(data)} bytes, the shape says {n_values} texts")
    texts, offset = np.empty(n_values, dtype=object), 0
    for place in range(n_values):
        if offset + 4 > len(data):
            raise BadTensor(f"input {name}: the texts end early")
        (length,) = struct.unpack_from("<I", data, offset)
        offset += 4
        if offset + length > len(data):
            raise BadTensor(f"input {name}: the texts end early")
        try:
            texts[place] = bytes(data[offset : offset + length]).decode()
        except UnicodeDecodeError as error:
            raise BadTensor(f"input {name}: a text is not UTF-8") from error
        offset += length
    if offset != len(data):
        raise BadTensor(f"input {name}: bytes are left behind the texts")
    return texts


def _rows(values: np.ndarray[Any, Any], dimension: Sequence[int | None]) -> list[Any]:
    """One value for each record. A column of single values may come as (n,) or (n, 1)."""
    if not dimension and values.ndim > 1 and values.shape[1:] == (1,) * (values.ndim - 1):
        values = values.reshape(values.shape[0])
    return list(values.tolist())


def _fitting(datatype: str, values: Sequence[Any]) -> str:
    """The declared type when every value is of it, else BYTES."""
    if datatype == "BYTES" or any(
        value is None or isinstance(value, str | dict) for value in values
    ):
        return "BYTES"
    return datatype


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)
