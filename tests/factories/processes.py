"""The portal as real processes, the way an operator starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
START_S = 90
STOP_S = 30


def clean_environment(data_dir: Path) -> dict[str, str]:
    """This process's environment without settings of Atrium, a data folder and a free port of its own."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("ATRIUM_", "SQLALCHEMY_"))},
        "ATRIUM_SITE__DATA_DIR": str(data_dir),
        "ATRIUM_SERVER__PORT": str(free_port()),
    }


def address_of(environment: dict[str, str]) -> str:
    """Where the portal of that environment listens."""
    return f"http://127.0.0.1:{environment['ATRIUM_SERVER__PORT']}"


def free_port() -> int:
    """A port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(
    environment: dict[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """`run.py` with these arguments, run to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
        cwd="/",
    )


class Portal:
    """A portal in a process group of its own, as a shell would start it; its output goes to a file."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.environment = environment
        self._log = Path(environment["ATRIUM_SITE__DATA_DIR"]).with_suffix(f".{time.time_ns()}.log")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "run.py"), *arguments],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop; its exit code. Fails the test when it has to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                pytest.fail(f"the portal did not stop in {STOP_S} s:\n{self.output}")
        return self.process.returncode

    def wait_until_healthy(self) -> None:
        """Wait for 200 from /healthz; fails the test with the portal's output when it ends before."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output
            if health(self.environment)[0] == 200:
                return
            time.sleep(0.2)
        pytest.fail(f"the portal did not become healthy:\n{self.output}")


@contextmanager
def serving(environment: dict[str, str], *arguments: str) -> Iterator[Portal]:
    """A running portal, stopped at the end."""
    portal = Portal(environment, *arguments)
    try:
        yield portal
    finally:
        portal.stop()


def health(environment: dict[str, str]) -> tuple[int, dict[str, object]]:
    """Status and body of GET /healthz; status 0 while nobody listens."""
    try:
        with urlopen(f"{address_of(environment)}/healthz", timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)
    except (URLError, ConnectionError):
        return 0, {}


def children_of(pid: int) -> list[int]:
    """Processes started by `pid`, and by those."""
    tree: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        tree.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        queue += (below := tree.get(queue.pop(), []))
        found += below
    return found
