"""Replicas answer, are replaced without a failed request, and die alone."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from jobs.engines.scoring import (
    AsyncReplicaClient,
    Health,
    NoReplica,
    ReplicaClient,
    ReplicaLost,
    Standing,
    Status,
    Supervisor,
    Wanted,
    cgroups,
    socket_folder,
)
from tests.factories.shared_data import shared_data

IRIS = b'[{"float_input": [5.1, 3.5]}]'
PATIENCE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    found = socket_folder(str(tmp_path))
    yield found
    found.rmdir()


@pytest.fixture
def supervisor(folder: Path) -> Iterator[Supervisor]:
    made = Supervisor(folder)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(folder: Path) -> Iterator[ReplicaClient]:
    made = ReplicaClient(folder)
    yield made
    made.close()


def wanted(name: str = "onnx/logreg_iris.onnx", **more: Any) -> Wanted:
    """A deployment of a sample model."""
    known: dict[str, Any] = {
        "key": "d1",
        "revision": 1,
        "timeout_s": 5.0,
        "memory_bytes": 300 << 20,
    }
    return Wanted(path=shared_data(f"models/{name}"), **{**known, **more})


def wait(supervisor: Supervisor, until: Callable[[Standing], bool]) -> Standing:
    """How the deployment stands once that is so."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        standing = supervisor.status().get("d1")
        if standing is not None and until(standing):
            return standing
        time.sleep(0.05)
    pytest.fail(f"waited in vain: {supervisor.status()}")


def ready(supervisor: Supervisor, *deployments: Wanted) -> Standing:
    """Apply and wait until all replicas of the first answer."""
    supervisor.apply(deployments)
    first = deployments[0]
    return wait(
        supervisor, lambda each: each.revision == first.revision and each.n_ready == first.replicas
    )


SCRIPT = "def prepare(r):\n    return {'float_input': [float(r['a']), 3.5]}"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of replicas that no test harms: d1 has two of a model, d2 has a script before it."""
    folder = socket_folder(str(tmp_path_factory.mktemp("serving")))
    supervisor = Supervisor(folder)
    supervisor.start()
    ready(supervisor, wanted(replicas=2), wanted(key="d2", script=SCRIPT))
    wait(supervisor, lambda _: supervisor.status()["d2"].n_ready == 1)
    yield folder
    supervisor.stop()
    folder.rmdir()


@pytest.fixture
def caller(serving: Path) -> Iterator[ReplicaClient]:
    made = ReplicaClient(serving)
    yield made
    made.close()


class TestCall:
    def test_answers_and_times_the_steps(self, caller: ReplicaClient) -> None:
        reply = caller.call("d1", IRIS, timeout_s=5)

        assert (reply.status, reply.n_records, reply.json[0]["label"]) == (Status.OK, 1, 0)
        assert reply.ms.keys() == {"validate", "predict"}

    def test_refuses_records_that_do_not_fit(self, caller: ReplicaClient) -> None:
        reply = caller.call("d1", b'[{"float_input": [5.1]}]', timeout_s=5)

        assert reply.status == Status.INVALID_INPUT
        assert reply.json[0]["field"] == "float_input"

    def test_runs_the_script_first(self, caller: ReplicaClient) -> None:
        good = caller.call("d2", b'[{"a": "5.1"}]', timeout_s=5)
        bad = caller.call("d2", b'[{"a": "x"}]', timeout_s=5)

        assert (good.status, bad.status) == (Status.OK, Status.SCRIPT_FAILED)
        assert bad.body.startswith(b"line 2: ValueError")
        assert good.ms["prepare"] > 0

    def test_raises_when_no_replica_answers(self, caller: ReplicaClient) -> None:
        with pytest.raises(NoReplica):
            caller.call("d3", IRIS, timeout_s=1)

    def test_answers_many_at_once_in_an_event_loop(
        self, serving: Path, caller: ReplicaClient
    ) -> None:
        numbers = [float(number) for number in range(100)]

        async def call_all() -> list[Any]:
            client = AsyncReplicaClient(serving)
            bodies = [orjson.dumps([{"float_input": [number, 3.5]}]) for number in numbers]
            try:
                replies = await asyncio.gather(
                    *(client.call("d1", body, timeout_s=30) for body in bodies)
                )
            finally:
                client.close()
            return [reply.json[0]["probabilities"]["0"] for reply in replies]

        # In a thread: Playwright keeps a loop running in that of the tests.
        with ThreadPoolExecutor(max_workers=1) as pool:
            found = pool.submit(asyncio.run, call_all()).result()

        for number in (0, 7, 99):
            body = orjson.dumps([{"float_input": [numbers[number], 3.5]}])
            (alone,) = caller.call("d1", body, timeout_s=5).json
            assert alone["probabilities"]["0"] == found[number]


class TestSupervisor:
    def test_rolls_without_a_failed_request(
        self, supervisor: Supervisor, client: ReplicaClient
    ) -> None:
        ready(supervisor, wanted())
        failed: list[object] = []
        stop = threading.Event()

        def call_again_and_again() -> None:
            while not stop.is_set():
                try:
                    reply = client.call("d1", IRIS, timeout_s=20)
                    failed.extend([reply] if reply.status != Status.OK else [])
                except Exception as error:
                    failed.append(error)

        threads = [threading.Thread(target=call_again_and_again) for _ in range(3)]
        for thread in threads:
            thread.start()
        for revision in (2, 3):
            ready(supervisor, wanted(revision=revision))
            wait(supervisor, lambda each: len(each.pids) == 1)
        time.sleep(0.5)
        stop.set()
        for thread in threads:
            thread.join()

        assert failed == []

    def test_keeps_the_old_version_when_the_new_one_cannot_start(
        self, supervisor: Supervisor, client: ReplicaClient
    ) -> None:
        ready(supervisor, wanted())

        supervisor.apply([wanted("bad/truncated.onnx", revision=2)])
        standing = wait(supervisor, lambda each: each.n_restarts > 0)

        assert standing.revision == 1
        assert client.call("d1", IRIS, timeout_s=5).status == Status.OK

    def test_restarts_a_killed_replica(self, supervisor: Supervisor, client: ReplicaClient) -> None:
        (pid,) = ready(supervisor, wanted()).pids

        os.kill(pid, signal.SIGKILL)
        standing = wait(supervisor, lambda each: each.n_restarts == 1 and each.n_ready == 1)

        assert standing.pids != (pid,)
        assert client.call("d1", IRIS, timeout_s=5).status == Status.OK

    def test_a_model_that_never_answers_is_stopped_and_harms_no_other(
        self, supervisor: Supervisor, client: ReplicaClient
    ) -> None:
        loop = wanted("bad/endless_loop.onnx", warm_up=False, timeout_s=1.0)
        ready(supervisor, loop, wanted(key="d2"))

        reply = client.call("d1", b'[{"x": 1.0}]', timeout_s=1)

        assert reply.status == Status.TIMED_OUT
        assert client.call("d2", IRIS, timeout_s=30).status == Status.OK

    def test_a_request_for_all_memory_is_an_error_and_the_replica_goes_on(
        self, supervisor: Supervisor, client: ReplicaClient
    ) -> None:
        pids = ready(supervisor, wanted("bad/memory_bomb.onnx", warm_up=False)).pids

        replies = [client.call("d1", b'[{"x": 1.0}]', timeout_s=10) for _ in range(2)]

        assert [reply.status for reply in replies] == [Status.OUT_OF_MEMORY] * 2
        assert supervisor.status()["d1"].pids == pids

    @pytest.mark.slow
    def test_a_stopped_replica_is_replaced(
        self, supervisor: Supervisor, client: ReplicaClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("jobs.engines.scoring.processes.PING_GRACE_S", 1.0)
        (pid,) = ready(supervisor, wanted(timeout_s=1.0)).pids

        os.kill(pid, signal.SIGSTOP)
        wait(supervisor, lambda each: each.n_restarts == 1 and each.n_ready == 1)

        assert client.call("d1", IRIS, timeout_s=5).status == Status.OK

    def test_says_why_a_model_cannot_start(self, supervisor: Supervisor) -> None:
        supervisor.apply([wanted("bad/future_opset.onnx")])

        standing = wait(supervisor, lambda each: each.health == Health.FAILED)

        assert "operator set" in standing.text

    def test_leaves_no_process(self, folder: Path) -> None:
        supervisor = Supervisor(folder)
        supervisor.start()
        (pid,) = ready(supervisor, wanted()).pids

        supervisor.stop()

        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert list(folder.iterdir()) == []


class TestReplica:
    def test_loses_what_it_worked_on_when_killed(
        self, supervisor: Supervisor, client: ReplicaClient
    ) -> None:
        loop = wanted("bad/endless_loop.onnx", warm_up=False, timeout_s=30.0)
        (pid,) = ready(supervisor, loop).pids
        threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()

        with pytest.raises(ReplicaLost):
            client.call("d1", b'[{"x": 1.0}]', timeout_s=30)


class TestConfine:
    @pytest.fixture
    def own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The group of this process in a tree that looks like the kernel's."""
        (tmp_path / "cgroup.controllers").write_text("cpu memory")
        own = tmp_path / "atrium.service" / "portal"
        own.mkdir(parents=True)
        monkeypatch.setattr(cgroups, "OWN", tmp_path / "self")
        (tmp_path / "self").write_text("0::/atrium.service/portal\n")
        return own

    def test_writes_the_reservation_beside_its_own_group(self, own: Path, tmp_path: Path) -> None:
        (own.parent / "cgroup.subtree_control").write_text("")

        group = cgroups.confine(7, name="x", cpus=0.5, memory_bytes=2**20, root=tmp_path)

        assert group is not None
        assert group.path == own.parent / "atrium-x"
        assert (group.path / "cpu.max").read_text() == "50000 100000"
        assert (group.path / "memory.max").read_text() == str(3 * 2**19)
        assert (group.path / "cgroup.procs").read_text() == "7"
        assert (own.parent / "cgroup.subtree_control").read_text() == "+cpu +memory"

    def test_does_nothing_where_groups_may_not_be_divided(self, own: Path, tmp_path: Path) -> None:
        assert cgroups.confine(7, name="x", cpus=1, memory_bytes=1, root=tmp_path) is None
        assert not list(tmp_path.rglob("atrium-x"))

    def test_does_nothing_without_groups(self, tmp_path: Path) -> None:
        assert cgroups.confine(7, name="x", cpus=1, memory_bytes=2**20, root=tmp_path) is None

    def test_the_kernel_holds_a_process_to_its_reservation(self) -> None:
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            group = cgroups.confine(process.pid, name="t", cpus=0.1, memory_bytes=2**27)
            if group is None:
                pytest.skip("this system lets the tests make no control groups of version 2")
            before = _cpu_s(process.pid)
            time.sleep(2)
            assert _cpu_s(process.pid) - before < 0.5
        finally:
            process.kill()
            process.wait()
        group.remove()
        assert not group.path.exists()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class TestSocketFolder:
    def test_refuses_a_folder_that_others_may_enter(self, tmp_path: Path) -> None:
        found = socket_folder(str(tmp_path / "x"))
        found.chmod(0o755)

        with pytest.raises(PermissionError):
            socket_folder(str(tmp_path / "x"))
        found.rmdir()
