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


@contextmanager
def serving(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A portal in a process group of its own, as a shell would start it; killed whole at the end."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


def health(environment: dict[str, str]) -> tuple[int, dict[str, object]]:
    """Status and body of GET /healthz."""
    try:
        with urlopen(f"{address_of(environment)}/healthz", timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def wait_until_healthy(environment: dict[str, str], process: subprocess.Popen[str]) -> None:
    """Wait for 200 from /healthz; fails the test with the portal's output when it ends before."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        try:
            if health(environment)[0] == 200:
                return
        except (URLError, ConnectionError):
            pass
        time.sleep(0.2)
    pytest.fail("the portal did not become healthy")


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
