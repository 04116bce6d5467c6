"""Files that are no models, or models made to do harm, beyond the samples of test_refusals: refused with a reason."""

import io
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from jobs.engines.scoring import RefusedModel, inspect_file

VALUE = {"coef": [1.0, 2.0]}
PMML = '<?xml version="1.0"?>{before}<PMML xmlns="{space}" version="4.4">{inside}</PMML>'
SPACE = "http://www.dmg.org/PMML-4_4"
TREE = (
    '<DataDictionary><DataField name="x" optype="continuous" dataType="double"/></DataDictionary>'
    '<TreeModel functionName="regression"><MiningSchema><MiningField name="x"/></MiningSchema>'
    '{more}<Node score="1"><True/></Node></TreeModel>'
)


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("UP", ".."), data)
    return out.getvalue()


def saved_array() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([VALUE], dtype=object), allow_pickle=True)
    return out.getvalue()


def graph(nodes: list[onnx.NodeProto], *initializers: onnx.TensorProto) -> bytes:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in "xy"]
    made = helper.make_graph(nodes, "g", ends[:1], ends[1:], list(initializers))
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opset, ir_version=8).SerializeToString()


def huge() -> bytes:
    """Weights that claim to be four million gigabytes, and are not there."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**30, 2**20])
    return graph([helper.make_node("Add", ["x", "w"], ["y"])], tensor)


def negative() -> bytes:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-1, 4])
    return graph([helper.make_node("Add", ["x", "w"], ["y"])], tensor)


def cycle() -> bytes:
    """Two operators that wait for each other."""
    nodes = [("Add", ["x", "b"], ["a"]), ("Add", ["a", "x"], ["b"]), ("Identity", ["a"], ["y"])]
    return graph([helper.make_node(*node) for node in nodes])


NO_MODELS: dict[str, Callable[[], bytes]] = {
    **{f"pickle {n}": lambda n=n: pickle.dumps(VALUE, protocol=n) for n in range(2, 6)},  # type: ignore[misc]
    "pickle of a class, 0": lambda: pickle.dumps(zlib.error("x"), protocol=0),
    "compressed pickle": lambda: zlib.compress(pickle.dumps(VALUE)),
    "zipped pickle": lambda: zipped(**{"model.pkl": pickle.dumps(VALUE)}),
    "skops": lambda: zipped(**{"schema.json": b'{"__module__": "os", "__class__": "system"}'}),
    "zip slip": lambda: zipped(**{"UP__UP__etc__passwd": b"root"}),
    "zip bomb": lambda: zipped(**{"model.onnx": bytes(50 * 2**20)}),
    "array of objects": saved_array,
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "huge weights": huge,
    "negative weights": negative,
    "cycle": cycle,
    "deep xml": lambda: PMML.format(
        before="", space=SPACE, inside="<Extension>" * 10_000 + "</Extension>" * 10_000
    ).encode(),
}


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        *((name, "pmml") for name in NO_MODELS),
        *((name, "onnx") for name in NO_MODELS if "pickle" in name),
    ],
)
def test_is_refused_under_any_name(tmp_path: Path, name: str, ending: str) -> None:
    path = tmp_path / f"model.{ending}"
    path.write_bytes(NO_MODELS[name]())

    with pytest.raises(RefusedModel) as refused:
        inspect_file(path)

    assert 10 < len(refused.value.reason) < 500
    assert "Traceback" not in refused.value.reason


@pytest.mark.parametrize(
    ("before", "space", "more"),
    [
        ("", SPACE, '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret}"/>'),
        ('<?xml-stylesheet type="text/xsl" href="{secret}"?>', SPACE, ""),
        ("", "http://example.org/other", ""),
        ("", SPACE, "<NobodyKnowsThis/>"),
    ],
    ids=["xinclude", "stylesheet", "namespace", "element"],
)
def test_nothing_is_pulled_in(tmp_path: Path, before: str, space: str, more: str) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text("<Node score='s3cret'><True/></Node>")
    path = tmp_path / "model.pmml"
    inside = TREE.format(more=more.format(secret=secret.as_uri()))
    path.write_text(
        PMML.format(before=before.format(secret=secret.as_uri()), space=space, inside=inside)
    )

    try:
        said = str(inspect_file(path))
    except RefusedModel as refused:
        said = refused.reason

    assert said
    assert "s3cret" not in said
