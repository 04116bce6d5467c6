"""Our side of bench/serving.py, by the portal's own services in the portal's environment (ATRIUM_SITE__DATA_DIR).

    python bench/workers/serving_ours.py setup FOLDER_OF_MODELS
    python bench/workers/serving_ours.py batch DEPLOYMENT_ID FILE.csv

`setup` makes the database and deploys each model; `batch` has every row of a file answered by a worker that runs
elsewhere. Each prints one object of JSON."""

import json
import logging
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from dashboard.accounts.models import RoleName  # noqa: E402
from dashboard.accounts.services import register  # noqa: E402
from dashboard.app import create_app  # noqa: E402
from dashboard.core import migrations  # noqa: E402
from dashboard.core.config import load_config  # noqa: E402
from dashboard.core.database import session  # noqa: E402
from dashboard.serving import services  # noqa: E402
from dashboard.serving.models import Deployment  # noqa: E402
from dashboard.serving.queries import Viewer  # noqa: E402

MODELS = ("forest.onnx", "tree.onnx", "tree.pmml")
PATIENCE_S = 3600


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    with create_app(load_config(ROOT / "config.toml", os.environ)).app_context():
        done = setup(Path(sys.argv[2])) if sys.argv[1] == "setup" else batch(*sys.argv[2:])
    print(json.dumps(done))


def setup(folder: Path) -> dict[str, dict[str, Any]]:
    """The deployments: id and token by the name of the model's file."""
    migrations.upgrade()
    user = register(
        email="bench@example.org", password=secrets.token_urlsafe(16), roles=(RoleName.ANALYST,)
    )
    viewer = Viewer(user_id=user.id, sees_all=False)
    found = {}
    for file in MODELS:
        model = services.add_model(
            folder / file, original_name=file, name=file.replace(".", " "), viewer=viewer
        )
        deployment, token = services.deploy_model(
            model.id, name=file.replace(".", "-"), cpus=0.5, memory_mb=512, viewer=viewer
        )
        found[file] = {"id": deployment.id, "token": token}
    return found


def batch(deployment_id: str, file: str) -> dict[str, Any]:
    """How long it took, where the result is, and what submitting cost of CPU."""
    deployment = session.get_one(Deployment, int(deployment_id))
    began, cpu = time.monotonic(), time.process_time()
    task = services.submit_batch(
        deployment, Path(file), original_name=Path(file).name, owner_id=deployment.owner_id
    )
    cpu = time.process_time() - cpu
    while task.open and time.monotonic() - began < PATIENCE_S:
        session.rollback()
        time.sleep(0.2)
        session.refresh(task)
    seconds = time.monotonic() - began
    return {
        "cpu_s": cpu,
        "seconds": seconds,
        "state": task.state,
        "result": str(services.result_path(task)),
    }


if __name__ == "__main__":
    main()
