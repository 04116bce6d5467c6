"""The servers of bench/serving.py: how each is started, what it is sent, and how its answer is read."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from workers.serving_client import Broken, drive, request_bytes
from workers.serving_models import FIELDS, INPUT

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ROOT / "bench" / "workers"
START_S = 180.0
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Row = list[float]
Answer = tuple[int, list[float]]
"""The class, and the probabilities of all classes; none where a server tells only the class."""


class Server:
    """A process and everything it starts."""

    def __init__(
        self, name: str, argv: Sequence[str | Path], env: dict[str, str], folder: Path
    ) -> None:
        self.name, self._log = name, folder / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(part) for part in argv],
                env=os.environ | ONE_THREAD | env,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-3000:]

    def processes(self) -> list[psutil.Process]:
        top = psutil.Process(self._process.pid)
        return [top, *top.children(recursive=True)]

    def cpu_s(self) -> float:
        """Processor time of all its processes so far, those that have ended among them."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def rss_mb(self) -> float:
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total / 2**20

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@dataclass
class Target:
    """What is measured."""

    name: str
    server: Server
    port: int
    requests: list[bytes]
    read: Callable[[Any], Answer]
    expected: list[Answer] = field(default_factory=list)

    def wait(self) -> None:
        """Until it answers; raises Broken with the end of its log."""
        until, said = time.monotonic() + START_S, ""
        while time.monotonic() < until and not self.server.ended:
            try:
                drive(self.port, self.requests[:1], connections=1, seconds=0)
                return
            except (OSError, Broken) as error:
                said = str(error)
                time.sleep(0.3)
        raise Broken(f"{self.name} did not start: {said}\n{self.server.log()}")

    def wrong(self, answers: Sequence[tuple[int, bytes]]) -> int:
        """How many answers are not those that the model gives."""
        return sum(not self._right(number, body) for number, body in answers)

    def _right(self, number: int, body: bytes) -> bool:
        label, probabilities = self.read(json.loads(body))
        wanted_label, wanted = self.expected[number]
        return label == wanted_label and all(
            abs(one - other) < 1e-5 for one, other in zip(probabilities, wanted, strict=False)
        )


def peer_python(peer: str) -> Path:
    """The Python that has the peer; installed anew when the lock has changed."""
    folder, lock = ROOT / ".bench" / f"serving-{peer}", ROOT / "bench" / f"serving-{peer}.lock"
    python, stamp = folder / "bin" / "python", folder / "installed.lock"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        print(f"installing {peer} into .bench/serving-{peer} ...", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
        subprocess.run(command, check=True)
        stamp.write_text(lock.read_text())
    return python


# --- ours ---


def ours(folder: Path, models: Path, rows: list[Row]) -> tuple[list[Target], dict[str, Any]]:
    """`run.py models` with its prediction port, `run.py web`, and what `setup` said."""
    port, web_port = _free_port(), _free_port()
    environment = {
        "ATRIUM_SITE__DATA_DIR": str(folder / "portal"),
        "ATRIUM_SERVER__PORT": str(web_port),
        "ATRIUM_SERVING__PREDICTION_PORT": str(port),
    }
    command = [sys.executable, str(WORKERS / "serving_ours.py"), "setup", str(models)]
    said = subprocess.run(
        command, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True
    )
    deployed: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    run = [sys.executable, str(ROOT / "run.py")]
    keeper = Server("atrium", [*run, "models"], environment, folder)
    web = Server("atrium_web", [*run, "web"], environment, folder)

    def target(
        name: str, file: str, record: Callable[[Row], Any], read: Any, **other: Any
    ) -> Target:
        path = f"/api/v1/deployments/{deployed[file]['id']}/predict"
        token = [("Authorization", f"Bearer {deployed[file]['token']}")]
        requests = [request_bytes(path, _json(record(row)), token) for row in rows]
        return Target(name, other.get("server", keeper), other.get("port", port), requests, read)

    def tensor(row: Row) -> dict[str, Any]:
        return {INPUT: row}

    def fields(row: Row) -> dict[str, Any]:
        return dict(zip(FIELDS, row, strict=True))

    targets = [
        target("atrium", "forest.onnx", tensor, _ours),
        target("atrium_tree_onnx", "tree.onnx", tensor, _ours),
        target("atrium_tree_pmml", "tree.pmml", fields, _ours_pmml),
        target("atrium_portal_route", "forest.onnx", tensor, _ours, server=web, port=web_port),
    ]
    return targets, {"environment": environment, "deployed": deployed, "keeper": keeper}


def _ours(said: Any) -> Answer:
    (record,) = said["outputs"]
    return record["label"], record["probabilities"]


def _ours_pmml(said: Any) -> Answer:
    (record,) = said["outputs"]
    return int(record["predicted_species"]), [record[f"probability_{each}"] for each in range(3)]


# --- the others ---


def bare_flask(folder: Path, models: Path, rows: list[Row]) -> Target:
    """The same file in a bare Flask application on granian."""
    port = _free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    command += ["--no-log", "--workers", "1", "serving_flask:app"]
    env = {"BENCH_MODEL": str(models / "forest.onnx"), "PYTHONPATH": str(WORKERS)}
    requests = [request_bytes("/predict", _json({"rows": [row]})) for row in rows]
    return Target("bare_flask", Server("bare_flask", command, env, folder), port, requests, _plain)


def mlserver(folder: Path, models: Path, rows: list[Row]) -> list[Target]:
    """MLServer without worker processes and debugging, which is its fastest: our runtime of onnxruntime, its own."""
    python = peer_python("mlserver")
    pickles = _pickles(python, folder / "mlserver")
    return [
        _mlserver("mlserver_onnx", "serving_mlserver.Onnx", models / "forest.onnx", folder, rows),
        _mlserver("mlserver_sklearn", "mlserver_sklearn.SKLearnModel", pickles, folder, rows),
    ]


def _mlserver(name: str, runtime: str, model: Path, folder: Path, rows: list[Row]) -> Target:
    place, port = folder / name, _free_port()
    place.mkdir()
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": _free_port()}
    settings |= {"metrics_port": _free_port(), "parallel_workers": 0, "debug": False}
    (place / "settings.json").write_text(json.dumps(settings))
    about = {"name": "iris", "implementation": runtime, "parameters": {"uri": str(model)}}
    (place / "model-settings.json").write_text(json.dumps(about))
    command = [peer_python("mlserver").with_name("mlserver"), "start", place]
    server = Server(name, command, {"PYTHONPATH": str(WORKERS)}, folder)
    requests = []
    for row in rows:
        tensor = {"name": INPUT, "shape": [1, len(row)], "datatype": "FP32", "data": row}
        requests.append(request_bytes("/v2/models/iris/infer", _json({"inputs": [tensor]})))
    return Target(name, server, port, requests, _v2)


def mlflow(folder: Path, models: Path, rows: list[Row]) -> Target:
    """`mlflow models serve` of the scikit-learn model."""
    python, port = peer_python("mlflow"), _free_port()
    pickle = _pickles(python, folder / "mlflow")
    saved = folder / "mlflow" / "saved"
    subprocess.run(
        [python, WORKERS / "serving_mlflow.py", pickle, saved], check=True, capture_output=True
    )
    command = [python.with_name("mlflow"), "models", "serve", "-m", saved, "-p", str(port)]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--workers", "1"]
    path = f"{python.parent}:{os.environ['PATH']}"
    requests = [request_bytes("/invocations", _json({"inputs": [row]})) for row in rows]
    server = Server("mlflow_sklearn", command, {"PATH": path}, folder)
    return Target(
        "mlflow_sklearn", server, port, requests, lambda said: (said["predictions"][0], [])
    )


def bentoml(folder: Path, models: Path, rows: list[Row]) -> list[Target]:
    """BentoML's server: the same file by onnxruntime, and the scikit-learn model."""
    python = peer_python("bentoml")
    pickle = _pickles(python, folder / "bentoml")
    targets = []
    for name, service, model, read in (
        ("bentoml_onnx", "Onnx", models / "forest.onnx", _plain),
        ("bentoml_sklearn", "Sklearn", pickle, lambda said: (said[0], [])),
    ):
        port = _free_port()
        command = [python.with_name("bentoml"), "serve", f"serving_bentoml:{service}"]
        command += ["--port", str(port), "--host", "127.0.0.1", "--working-dir", WORKERS]
        env = {
            "BENCH_MODEL": str(model),
            "BENTOML_DO_NOT_TRACK": "true",
            "BENTOML_HOME": str(folder),
        }
        requests = [request_bytes("/predict", _json({"rows": [row]})) for row in rows]
        targets.append(Target(name, Server(name, command, env, folder), port, requests, read))
    return targets


def _pickles(python: Path, folder: Path) -> Path:
    command = [python, WORKERS / "serving_models.py", folder, "--sklearn-only"]
    subprocess.run(command, check=True)
    return folder / "forest.joblib"


def _plain(said: Any) -> Answer:
    return said["label"][0], said["probabilities"][0]


def _v2(said: Any) -> Answer:
    by_name = {each["name"]: each["data"] for each in said["outputs"]}
    return by_name.get("label", by_name.get("predict"))[0], by_name.get("probabilities", [])


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
