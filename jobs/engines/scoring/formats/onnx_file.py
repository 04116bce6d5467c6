"""What an ONNX file holds, before the engine sees it: refused here for what must not reach it, described otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from jobs.engines.scoring.description import Field, Interval, ModelDescription
from jobs.engines.scoring.errors import RefusedModel

MAX_IR_VERSION = 13
MAX_NODES = 1_000_000
STANDARD = ("", "ai.onnx")
# Contributed operators that onnxruntime itself brings; it says which it knows when it loads the model.
ENGINE_DOMAINS = ("com.microsoft",)
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
    try:
        _check_operators(model)
    except TypeError as error:  # damaged names come as bytes
        reason = "the file is no whole ONNX model: a name in it is no text"
        raise RefusedModel(reason, "onnx") from error
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


# ------------------------------------------------------------------------------------------- the description


def describe(path: Path, proto: Any, session: Any, *, engine: str) -> ModelDescription:
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
        model_type=custom.get(METADATA + "function") or _function(operators, session.get_outputs()),
        algorithm=custom.get(METADATA + "algorithm")
        or known
        or ("NeuralNetwork" if neural else "Other"),
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


def _function(operators: list[str], outputs: list[Any]) -> str:
    # Nearest neighbours and naive Bayes come as arithmetic: their outputs tell.
    labelled = [each.type for each in outputs][:1] in (["tensor(int64)"], ["tensor(string)"])
    shares = any("proba" in each.name for each in outputs)
    if any(each in CLASSIFIERS for each in operators) or (labelled and shares):
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
