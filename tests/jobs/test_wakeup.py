import threading
import time
from pathlib import Path

from jobs.wakeup import MAX_SOCKET_PATH, Listener, Waker, wake_folder


class TestListener:
    def test_is_woken(self, tmp_path: Path) -> None:
        folder = wake_folder(tmp_path)
        listener = Listener(folder)
        threading.Timer(0.05, lambda: Waker(folder).wake()).start()

        started = time.monotonic()
        listener.wait(10)

        assert time.monotonic() - started < 5
        listener.close()

    def test_counts_many_wakes_as_one(self, tmp_path: Path) -> None:
        folder = wake_folder(tmp_path)
        listener = Listener(folder)
        waker = Waker(folder)
        for _ in range(5000):
            waker.wake()

        listener.wait(10)
        started = time.monotonic()
        listener.wait(0.2)

        assert time.monotonic() - started > 0.15
        listener.close()


class TestWake:
    def test_clears_away_the_socket_of_a_killed_worker(self, tmp_path: Path) -> None:
        folder = wake_folder(tmp_path)
        killed = Listener(folder)
        assert killed._socket is not None
        killed._socket.close()

        Waker(folder).wake()

        assert list(folder.iterdir()) == []

    def test_does_nothing_where_nobody_listens(self, tmp_path: Path) -> None:
        Waker(tmp_path / "missing").wake()


class TestWakeFolder:
    def test_fits_into_a_socket_address(self, tmp_path: Path) -> None:
        assert len(str(wake_folder(tmp_path / ("x" * 200)))) < MAX_SOCKET_PATH
