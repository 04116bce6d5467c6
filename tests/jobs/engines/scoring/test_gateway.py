"""The prediction server: right answers, clear errors, exact counts, and nobody who is slow holds up another."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from jobs.engines.scoring import AsyncReplicaClient, Supervisor, Wanted, room, socket_folder
from jobs.engines.scoring.gateway import Call, Gateway, Grant, Refused, serve
from tests.factories.shared_data import shared_data

PATH = "/api/v1/deployments/1/predict"
IRIS = b'[{"float_input": [5.1, 3.5]}]'
STALLED = 8


@dataclass
class Domain:
    """Stands for the portal: who may call, and what was counted."""

    calls: list[Call] = field(default_factory=list)
    paused: bool = False

    async def authorize(self, deployment_id: int, authorization: str) -> Grant:
        if authorization != "Bearer token":
            raise Refused(HTTPStatus.UNAUTHORIZED)
        if deployment_id > 2:
            raise Refused(HTTPStatus.NOT_FOUND)
        return Grant(deployment_id, f"d{deployment_id}", 5.0, paused=self.paused)

    def record(self, call: Call) -> None:
        self.calls.append(call)


@dataclass
class Served:
    """A running prediction server."""

    port: int
    domain: Domain

    def post(
        self, body: bytes = IRIS, *, path: str = PATH, method: str = "POST", token: str = "token"
    ) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = socket_folder(str(tmp_path_factory.mktemp("gateway")))
    supervisor = Supervisor(folder)
    supervisor.start()
    model = shared_data("models/onnx/logreg_iris.onnx")
    supervisor.apply([Wanted("d1", 1, model, memory_bytes=300 << 20)])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    domain, loop, stopping = Domain(), asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        client = AsyncReplicaClient(folder)
        gateway = Gateway(client, domain, domain)
        loop.run_until_complete(serve(gateway, host="127.0.0.1", port=port, stopping=stopping))
        client.close()
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run)
    thread.start()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        ready = supervisor.status()["d1"].n_ready
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            if ready:
                break
        time.sleep(0.1)
    yield Served(port, domain)
    loop.call_soon_threadsafe(stopping.set)
    thread.join()
    supervisor.stop()
    loop.close()
    folder.rmdir()


@pytest.fixture
def served(running: Served) -> Served:
    running.domain.calls.clear()
    running.domain.paused = False
    return running


class TestPredict:
    def test_answers(self, served: Served) -> None:
        status, said = served.post()

        assert (status, said["outputs"][0]["label"]) == (200, 0)
        assert said["ms"].keys() == {"validate", "predict", "total"}

    def test_keeps_the_outputs_asked_for(self, served: Served) -> None:
        assert served.post(path=f"{PATH}?outputs=label")[1]["outputs"] == [{"label": 0}]
        assert served.post(path=f"{PATH}?outputs=no")[0] == 422

    def test_tells_a_caller_the_code_and_no_field(self, served: Served) -> None:
        status, said = served.post(b'[{"float_input": ["secret"]}]')

        assert (status, said["code"]) == (422, "invalid_input")
        assert "float_input" not in json.dumps(said)
        (call,) = served.domain.calls
        assert (call.code, call.request_id) == ("invalid_input", said["request_id"])
        assert "float_input" in call.message
        assert "secret" not in call.message

    @pytest.mark.parametrize(
        ("more", "status"),
        [
            ({"token": "wrong"}, 401),
            ({"path": "/api/v1/deployments/3/predict"}, 404),
            ({"path": "/api/v1/deployments/2/predict"}, 503),
            ({"path": "/api/v1/deployments/x/predict"}, 404),
            ({"path": "/api/v1/deployments/-1/predict"}, 404),
            ({"path": "/elsewhere"}, 404),
            ({"method": "PUT"}, 405),
            ({"body": b"{"}, 422),
            ({"body": b""}, 422),
        ],
    )
    def test_refuses(self, served: Served, more: dict[str, Any], status: int) -> None:
        found, said = served.post(**more)

        assert (found, said["status"]) == (status, status)

    def test_refuses_while_paused(self, served: Served) -> None:
        served.domain.paused = True

        assert served.post()[1]["code"] == "deployment_paused"

    def test_refuses_a_body_that_is_too_large(self, served: Served) -> None:
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n"
            connection.sendall(f"{head}Content-Length: 99999999999\r\n\r\n[".encode())

            assert connection.recv(100).startswith(b"HTTP/1.1 413")

    def test_tells_callers_to_come_back_while_there_is_no_room(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(room, "MAX_HELD_BYTES", 0)
        connection = HTTPConnection("127.0.0.1", served.port, timeout=30)
        with contextlib.closing(connection):
            body = IRIS + b" " * room.SMALL_BYTES
            connection.request("POST", PATH, body, {"Authorization": "Bearer token"})
            answer = connection.getresponse()
            said = json.loads(answer.read())

        assert (answer.status, said["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "5"
        assert [call.code for call in served.domain.calls] == ["unavailable"]
        assert served.post()[0] == 200

    def test_counts_every_answer(self, served: Served) -> None:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: served.post(), range(200)))

        assert {(status, said["outputs"][0]["label"]) for status, said in found} == {(200, 0)}
        assert len(served.domain.calls) == 200

    def test_answers_while_uploads_stall(self, served: Served) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(STALLED):
                stalled = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
                head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n"
                stalled.sendall(f"{head}Content-Length: 1000\r\n\r\n[".encode())
            time.sleep(0.2)
            connection = HTTPConnection("127.0.0.1", served.port, timeout=1)
            connection.request("GET", "/healthz")

            assert connection.getresponse().status == 200
            connection.close()
            assert served.post()[0] == 200
