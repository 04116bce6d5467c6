import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import supervised
from jobs.supervised import Supervised

ENOUGH_S = 20


def program(text: str) -> list[str]:
    """What runs this Python text; the two names at the end are for the log."""
    return [sys.executable, "-c", text, "a test", "--with-parent"]


def wait_for(path: Path, *, lines: int) -> list[str]:
    deadline = time.monotonic() + ENOUGH_S
    while not path.exists() or len(path.read_text().splitlines()) < lines:
        assert time.monotonic() < deadline, f"{path} has no {lines} lines"
        time.sleep(0.02)
    return path.read_text().splitlines()


def stopped(process: Supervised) -> bool:
    """Whether `stop` comes back."""
    stopping = threading.Thread(target=process.stop, daemon=True)
    stopping.start()
    stopping.join(ENOUGH_S)
    return not stopping.is_alive()


@pytest.fixture
def slow_starts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every start takes a moment, as on a busy machine; the processes that were started."""
    begun: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def slowly(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        time.sleep(0.2)
        process: subprocess.Popen[bytes] = start(*arguments, **options)
        begun.append(process)
        return process

    monkeypatch.setattr(supervised.subprocess, "Popen", slowly)
    yield begun
    for process in begun:
        process.kill()


class TestSupervised:
    def test_starts_again_what_ended(self, tmp_path: Path) -> None:
        told = tmp_path / "told"
        text = f"import os; open({str(told)!r}, 'a').write(f'{{os.getpid()}}\\n')"
        process = Supervised(program(text))

        process.start()
        pids = wait_for(told, lines=2)

        assert stopped(process)
        assert len(set(pids)) == len(pids)

    def test_ends_its_process_by_sigterm(self, tmp_path: Path) -> None:
        told = tmp_path / "told"
        process = Supervised(
            program(f"import time; open({str(told)!r}, 'w').write('up\\n'); time.sleep(600)")
        )

        process.start()
        wait_for(told, lines=1)

        assert stopped(process)

    def test_stops_although_its_process_is_being_started(
        self, slow_starts: list[subprocess.Popen[bytes]]
    ) -> None:
        process = Supervised(program("import time; time.sleep(600)"))

        process.start()
        time.sleep(0.05)

        assert stopped(process)
        assert [each.poll() for each in slow_starts] == [-15]

    def test_starts_nothing_after_the_stop(self) -> None:
        process = Supervised(program("import time; time.sleep(600)"))
        process._stopping.set()

        process.start()

        assert stopped(process)
        assert process._process is None
