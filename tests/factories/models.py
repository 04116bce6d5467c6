"""Model files for tests, and a deployed one."""

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from dashboard.accounts.models import User
from dashboard.serving import services
from dashboard.serving.models import Deployment, Model
from dashboard.serving.queries import Viewer
from tests.conftest import ROOT

TREE = ROOT / "seeds" / "data" / "models" / "course-fit.pmml"
GOOD = {"hours_a_week": 5.0, "years_of_practice": 3, "level": "beginner"}
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
