"""Model files for tests, a deployed one, and the process that keeps deployments answering."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import pytest
from flask import Flask
from onnx import TensorProto, helper

from dashboard.accounts.models import User
from dashboard.core.database import session
from dashboard.serving import keeper, replicas, services
from dashboard.serving.models import Deployment, Health, Model
from dashboard.serving.queries import Viewer
from tests.conftest import ROOT

TREE = ROOT / "seeds" / "data" / "models" / "course-fit.pmml"
GOOD = {"hours_a_week": 5.0, "years_of_practice": 3, "level": "beginner"}
READY_S = 45.0
POOR = {"hours_a_week": 1.0, "years_of_practice": 3, "level": "beginner"}


def line_model(path: Path, *, slope: float = 2.0) -> Path:
    """An ONNX file: y = slope * a + b, each input a single number of a record."""
    shape = [None, 1]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("a", "b")]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    factor = helper.make_tensor("slope", TensorProto.FLOAT, [1], [slope])
    nodes = [
        helper.make_node("Mul", ["a", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "b"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "line", inputs, [output], [factor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def greedy_model(path: Path) -> Path:
    """An ONNX file: y = the sum of n ones, all held at once. Four bytes of memory for each that is asked for."""
    nodes = [
        helper.make_node("Cast", ["n"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["whole", "flat"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["ones"], value=_one()),
        helper.make_node("ReduceSum", ["ones"], ["sum"], keepdims=0),
        helper.make_node("Reshape", ["sum", "row"], ["y"]),
    ]
    return _save_sum(path, nodes)


def tireless_model(path: Path) -> Path:
    """An ONNX file: y = n, found by adding one n times. A step takes a microsecond."""
    number, truth = TensorProto.FLOAT, TensorProto.BOOL
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still"]),
            helper.make_node("Add", ["so_far", "one"], ["then"]),
        ],
        "step",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", truth, []),
            helper.make_tensor_value_info("so_far", number, []),
        ],
        [
            helper.make_tensor_value_info("still", truth, []),
            helper.make_tensor_value_info("then", number, []),
        ],
    )
    nodes = [
        helper.make_node("Cast", ["n"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["whole", "none"], ["turns"]),
        helper.make_node("Loop", ["turns", "", "zero"], ["sum"], body=body),
        helper.make_node("Reshape", ["sum", "row"], ["y"]),
    ]
    return _save_sum(path, nodes)


def _one() -> Any:
    return helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])


def _save_sum(path: Path, nodes: list[Any]) -> Path:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]) for name in "ny"]
    constants = [
        helper.make_tensor("flat", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("none", TensorProto.INT64, [0], []),
        helper.make_tensor("row", TensorProto.INT64, [2], [1, 1]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("one", TensorProto.FLOAT, [], [1.0]),
    ]
    used = {name for node in nodes for name in node.input}
    if "Loop" in {node.op_type for node in nodes}:
        used.add("one")
    kept = [each for each in constants if each.name in used]
    graph = helper.make_graph(nodes, "sum", ends[:1], ends[1:], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@contextmanager
def keeping(app: Flask) -> Iterator[keeper.Keeper]:
    """What `run.py models` does, in a thread."""
    built = keeper.build_keeper(app)
    thread = threading.Thread(target=built.run)
    thread.start()
    try:
        yield built
    finally:
        built.stop()
        thread.join()
        replicas.close(app)


def wait_for(deployment: Deployment, wanted: Callable[[Deployment], bool]) -> Deployment:
    """Wait until the deployment is as wanted; fails the test with how it stands otherwise."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        session.rollback()
        session.refresh(deployment)
        if wanted(deployment):
            return deployment
        time.sleep(0.1)
    pytest.fail(f"{deployment.health}: {deployment.health_text}")


def ready(deployment: Deployment) -> bool:
    """Whether all of its replicas answer."""
    return deployment.health == Health.READY


def viewer_of(user: User) -> Viewer:
    """The user as the services know her."""
    return Viewer(user_id=user.id, sees_all="admin" in user.role_names)


def add_line(user: User, folder: Path, *, name: str = "line", slope: float = 2.0) -> Model:
    """A model of that user, from an ONNX file."""
    path = line_model(folder / f"{name}-{slope:g}.onnx", slope=slope)
    return services.add_model(path, original_name=path.name, name=name, viewer=viewer_of(user))


def deploy(model: Model, user: User, **wishes: Any) -> tuple[Deployment, str]:
    """A deployment of a model, and its token."""
    wishes = {"name": f"{model.name}-{model.id}", "cpus": 0.1, "memory_mb": 256, **wishes}
    return services.deploy_model(model.id, viewer=viewer_of(user), **wishes)
