"""ONNX, scored by onnxruntime on one CPU thread; external data is never read."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from jobs.engines.scoring.description import Field, Interval, ModelDescription
from jobs.engines.scoring.errors import (
    OutOfMemory,
    OutOfTime,
    PredictionFailed,
    RefusedModel,
)
from jobs.engines.scoring.runtime import Record, Runtime

MAX_IR_VERSION = 13
MAX_NODES = 1_000_000
STANDARD = ("", "ai.onnx")
# Contributed operators that onnxruntime itself brings; it says which it knows when it loads the model.
ENGINE_DOMAINS = ("com.microsoft",)
CHUNK_ROWS = 1000
CLASSIFIERS = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier", "ZipMap")
REGRESSORS = ("LinearRegressor", "SVMRegressor", "TreeEnsembleRegressor", "TreeEnsemble")
ALGORITHMS = {
    "LinearClassifier": "LogisticRegression",
    "LinearRegressor": "LinearRegression",
    "SVMClassifier": "SVM",
    "SVMRegressor": "SVM",
    "TreeEnsembleClassifier": "TreeEnsemble",
    "TreeEnsembleRegressor": "TreeEnsemble",
    "TreeEnsemble": "TreeEnsemble",
}
METADATA = "atrium."
"""Our own exports say more in the file's metadata: atrium.function, atrium.algorithm, atrium.fields (JSON: input name
to columns, values, range)."""


class ONNXFormat:
    """The format, as `formats` lists it."""

    NAME = "onnx"

    def claims(self, head: bytes) -> bool:
        # Protocol buffers have no mark; text is what they never are.
        return head[0] in (0x08, 0x12, 0x1A, 0x22, 0x3A, 0x42) and any(
            byte < 0x20 and byte not in b"\t\r\n" for byte in head
        )

    def check(self, path: Path) -> None:
        read_file(path)

    def load(self, path: Path, *, memory_bytes: int) -> Runtime:
        return ONNXRuntime(path)


FORMAT = ONNXFormat()


# ------------------------------------------------------------------------------------------ the file itself


def read_file(path: Path) -> Any:
    """The parsed model. Raises RefusedModel for what must not reach the engine."""
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise RefusedModel("the file is no whole ONNX model; was it cut short?", "onnx") from error
    if not model.opset_import or not model.graph.node:
        raise RefusedModel("the file is no whole ONNX model: it holds no operators", "no_model")
    if model.ir_version > MAX_IR_VERSION:
        reason = (
            f"ONNX IR version {model.ir_version} is newer than {MAX_IR_VERSION}, which is supported"
        )
        raise RefusedModel(reason, "version")
    _check_external(model)
    _check_operators(model)
    return model


def _check_external(model: Any) -> None:
    import onnx

    graphs = [model.graph]
    for tensor in _tensors(graphs, model.functions):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            reason = (
                "the weights are in another file (external data); export the model as a single file"
            )
            raise RefusedModel(reason, "external_data")


def _nodes(model: Any) -> Iterator[Any]:
    stack, count = [*model.graph.node, *(n for f in model.functions for n in f.node)], 0
    while stack:
        node = stack.pop()
        count += 1
        if count > MAX_NODES:
            raise RefusedModel(f"the model has more than {MAX_NODES} operators", "too_large")
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                stack.extend(graph.node)


def _tensors(graphs: list[Any], functions: Any) -> Iterator[Any]:
    nodes = [node for function in functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield sparse.values
                yield sparse.indices
            nodes.extend(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield sparse.values
                yield sparse.indices
            graphs.extend((attribute.g, *attribute.graphs))


def _check_operators(model: Any) -> None:
    from onnx import defs

    sets = {each.domain: each.version for each in model.opset_import}
    newest = {"": defs.onnx_opset_version(), "ai.onnx.ml": _newest_ml(defs)}
    newest["ai.onnx"] = newest[""]
    for domain, version in sets.items():
        if version > newest.get(domain, version):
            name = domain or "ai.onnx"
            reason = (
                f"operator set {name} {version} is newer than {newest[domain]}, which is supported"
            )
            raise RefusedModel(reason, "opset")
    local = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model):
        if (node.domain, node.op_type) in local or node.domain in ENGINE_DOMAINS:
            continue
        domain = "" if node.domain in STANDARD else node.domain
        version = sets.get(node.domain, sets.get(domain, sets.get("ai.onnx", 0)))
        if not defs.has(node.op_type, version or newest.get(domain, 1), domain):
            name = f"{domain}::{node.op_type}" if domain else node.op_type
            raise RefusedModel(f"the operator {name[:80]} is not supported", "operator")


def _newest_ml(defs: Any) -> int:
    return max(
        each.since_version for each in defs.get_all_schemas_with_history() if "ml" in each.domain
    )


# ------------------------------------------------------------------------------------------------ the engine


class ONNXRuntime:
    """A loaded ONNX model."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        proto = read_file(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises a dozen unrelated classes
            reason = f"the engine cannot load this model: {_short(error)}"
            raise RefusedModel(reason, "unsupported") from error
        self._options = onnxruntime.RunOptions
        self.description = _describe(
            path, proto, self._session, engine=f"onnxruntime {onnxruntime.__version__}"
        )
        self._inputs = [_Input(each) for each in self.description.inputs]
        self._outputs = self.description.outputs
        self._names = [each.name for each in self._outputs]
        self._batch = self.description.batch
        self._running = self._options()

    def predict(self, records: Sequence[Record], *, timeout_s: float | None = None) -> list[Record]:
        if not records:
            return []
        if self._batch is None or any(each.is_whole(records[0]) for each in self._inputs):
            return [self._predict_whole(record, timeout_s) for record in records]
        step = self._batch or CHUNK_ROWS
        found: list[Record] = []
        for start in range(0, len(records), step):
            found += self._predict_rows(records[start : start + step], timeout_s)
        return found

    def _predict_rows(self, records: Sequence[Record], timeout_s: float | None) -> list[Record]:
        n = len(records)
        fill = (self._batch or n) - n
        padded = [*records, *[records[-1]] * fill] if fill else records
        feeds = {each.name: each.rows(padded) for each in self._inputs}
        columns = [_rows(values, n) for values in self._run(feeds, timeout_s)]
        if any(len(column) != n for column in columns):
            raise PredictionFailed("the model did not answer each record by itself")
        return [dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _predict_whole(self, record: Record, timeout_s: float | None) -> Record:
        feeds = {each.name: each.whole(record[each.name]) for each in self._inputs}
        return dict(zip(self._names, map(_plain, self._run(feeds, timeout_s)), strict=True))

    def _run(self, feeds: dict[str, Any], timeout_s: float | None) -> list[Any]:
        if self._running.terminate:
            self._running = self._options()
        if timeout_s is None:
            return self._guarded(feeds, self._running)
        timer = threading.Timer(timeout_s, self.interrupt)
        timer.daemon = True
        timer.start()
        try:
            return self._guarded(feeds, self._running)
        finally:
            timer.cancel()

    def _guarded(self, feeds: dict[str, Any], options: Any) -> list[Any]:
        try:
            return list(self._session.run(self._names, feeds, options))
        except MemoryError as error:
            raise OutOfMemory("the model asked for more memory than it may use") from error
        except Exception as error:  # onnxruntime raises a dozen unrelated classes
            if options.terminate:
                raise OutOfTime("the model did not answer in time") from error
            if "alloc" in str(error):
                raise OutOfMemory("the model asked for more memory than it may use") from error
            raise PredictionFailed(f"the engine failed: {_short(error)}") from error

    def interrupt(self) -> None:
        """Stop the run that is under way."""
        self._running.terminate = True

    def close(self) -> None:
        """Let go of the session."""
        del self._session


class _Input:
    """Makes arrays of the values of one input."""

    def __init__(self, field_: Field) -> None:
        import numpy as np

        self.name, self._field = field_.name, field_
        self._np = np
        self.dtype = _dtype(field_.type)
        self._rank = len(field_.shape or ())
        self._whole_shape = tuple(-1 if size is None else size for size in field_.shape or ())
        self._row_shape = self._whole_shape[1:]

    def is_whole(self, record: Record) -> bool:
        """Whether the record brings the batch dimension along."""
        return self._rank > 0 and depth(record[self.name]) == self._rank

    def rows(self, records: Sequence[Record]) -> Any:
        name = self.name
        values = self._np.array([record[name] for record in records], dtype=self.dtype)
        if self._rank == values.ndim:
            return values
        return self._reshape(values, (len(records), *self._row_shape))

    def whole(self, value: Any) -> Any:
        values = self._np.array(value, dtype=self.dtype)
        return values if values.ndim == self._rank else self._reshape(values, self._whole_shape)

    def _reshape(self, values: Any, shape: tuple[int, ...]) -> Any:
        if shape.count(-1) > 1:
            raise PredictionFailed("a value has not the shape that the model takes")
        return values.reshape(shape)


def depth(value: Any) -> int:
    """How many lists are nested around the first element."""
    found = 0
    while isinstance(value, list):
        found += 1
        value = value[0] if value else None
    return found


_NUMPY = {"float": "float32", "double": "float64", "string": "object"}


def _dtype(type_: str) -> str:
    inner = type_.removeprefix("tensor(").removesuffix(")")
    return _NUMPY.get(inner, inner)


def _rows(values: Any, n: int) -> list[Any]:
    """The answers of the first n records in one output."""
    if isinstance(values, list):
        return [_plain(each) for each in values[:n]]
    if values.ndim == 0:
        return []
    # A column of single values, as regressors give it, is a value a record.
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return list(_plain(values[:n]))


def _plain(value: Any) -> Any:
    """Python's own types; what is no number becomes None, because JSON has no word for it."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not hasattr(value, "tolist"):
        return value
    plain = value.tolist()
    if value.dtype.kind == "f" and not _all_finite(value):
        return _plain(plain)
    return plain


def _all_finite(values: Any) -> bool:
    import numpy as np

    return bool(np.isfinite(values).all())


# ------------------------------------------------------------------------------------------- the description


def _describe(path: Path, proto: Any, session: Any, *, engine: str) -> ModelDescription:
    meta = session.get_modelmeta()
    custom = dict(meta.custom_metadata_map)
    operators = [node.op_type for node in proto.graph.node]
    batch = _batch(session)
    more = _our_fields(custom)
    data = path.read_bytes()
    opsets = {each.domain or "ai.onnx": each.version for each in proto.opset_import}
    known = next((ALGORITHMS[each] for each in operators if each in ALGORITHMS), None)
    neural = not any(node.domain == "ai.onnx.ml" for node in proto.graph.node)
    return ModelDescription(
        format="onnx",
        format_version=", ".join(f"{name} {number}" for name, number in sorted(opsets.items())),
        engine=engine,
        name=meta.graph_name or "",
        model_type=custom.get(METADATA + "function") or _function(operators),
        algorithm=custom.get(METADATA + "algorithm")
        or known
        or ("NeuralNetwork" if neural else operators[0]),
        version=str(meta.version or "") if meta.version and meta.version < 2**62 else "",
        description=meta.description or meta.graph_description or "",
        producer=" ".join(filter(None, (meta.producer_name, proto.producer_version))),
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        inputs=tuple(_field(each, batch, more) for each in session.get_inputs()),
        outputs=tuple(_field(each, batch, {}) for each in session.get_outputs()),
        batch=batch,
        extra={key: value[:2000] for key, value in custom.items() if not key.startswith(METADATA)},
    )


def _function(operators: list[str]) -> str:
    if any(each in CLASSIFIERS for each in operators):
        return "classification"
    if any(each in REGRESSORS for each in operators):
        return "regression"
    return "other"


def _batch(session: Any) -> int | None:
    """How many records one run takes: the first dimension, when all tensors agree that it is a batch."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    tensors = [*inputs, *(each for each in outputs if each.type.startswith("tensor"))]
    if any(not each.shape for each in tensors):
        return None
    first = {each.shape[0] if isinstance(each.shape[0], int) else 0 for each in inputs}
    if len(first) > 1:
        return None
    (size,) = first
    given = {each.shape[0] for each in tensors if isinstance(each.shape[0], int)}
    return size if given <= {size} and (size or not given) else None


def _field(value: Any, batch: int | None, more: dict[str, dict[str, Any]]) -> Field:
    shape = tuple(size if isinstance(size, int) else None for size in value.shape)
    dimension = shape if batch is None else shape[1:]
    known = more.get(value.name, {})
    dimension = () if dimension == (1,) else dimension
    text = value.type.startswith(("tensor(string", "tensor(bool"))
    return Field(
        name=value.name,
        type=value.type,
        optype="categorical" if text or known.get("values") else "continuous",
        values=tuple(known.get("values", ())),
        intervals=tuple(Interval(*known["range"]) for _ in [0] if known.get("range")),
        dimension=dimension,
        shape=shape,
        columns=tuple(known.get("columns", ())),
    )


def _our_fields(custom: dict[str, str]) -> dict[str, dict[str, Any]]:
    try:
        found = orjson.loads(custom.get(METADATA + "fields", "{}"))
        return found if isinstance(found, dict) else {}
    except orjson.JSONDecodeError:
        return {}


def _short(error: Exception) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    # "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find ..." - the end is for people.
    return line.rpartition(" : ")[2][:160]
