"""Servers of one's own to break: RabbitMQ, PostgreSQL and MariaDB on free ports, with data in a folder that goes.

    with PrivateRabbitMQ() as server:
        server.kill(); server.start()

The servers that others use are left alone. The binaries are those that the system has installed.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.factories.processes import free_port

START_S = 90.0


class Missing(Exception):
    """The server is not installed here."""


class PrivateServer(ABC):
    """A server in a process group of its own; stopped, and its data removed, at the end of `with`."""

    run_as = ""
    """The account it runs as when the tests run as root."""

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="atrium-server-"))
        self._process: subprocess.Popen[bytes] | None = None
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self) -> None:  # noqa: B027  a hook: not every server needs it
        """Make its data."""

    def clear(self) -> None:  # noqa: B027  a hook: not every server needs it
        """Remove what it left outside of its folder."""

    @property
    @abstractmethod
    def argv(self) -> Sequence[str]:
        """The command that serves in the foreground."""

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds in its environment."""
        return {**os.environ, "HOME": str(self.folder), "LC_ALL": "C"}

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers."""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                self.argv,
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._identity,
            )
        until = time.monotonic() + START_S
        while not self.ready():
            if self._process.poll() is not None or time.monotonic() > until:
                said = (self.folder / "output.txt").read_text(errors="replace")
                raise RuntimeError(f"{self.argv[0]} does not start:\n{said[-3000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask its main process to end, and wait until it has."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=START_S)
            self._process = None

    def call(self, *argv: str) -> str:
        """Run one of its tools to the end; what it printed."""
        done = subprocess.run(
            argv,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
            **self._identity,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
        return done.stdout

    @property
    def _account(self) -> pwd.struct_passwd | None:
        # Some servers refuse to run as root.
        return pwd.getpwnam(self.run_as) if self.run_as and os.getuid() == 0 else None

    @property
    def _identity(self) -> dict[str, Any]:
        account = self._account
        if account is None:
            return {}
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class PrivateRabbitMQ(PrivateServer):
    """A RabbitMQ node with a name, ports and an epmd of its own."""

    def __init__(self, *, host: str = "127.0.0.1", tick_ms: int = 60_000) -> None:
        self._bin = _first("/usr/lib/rabbitmq/bin", tool="rabbitmq-server")
        super().__init__(host=host)
        self._tick_ms = tick_ms
        self._epmd_port, self._dist_port = free_port(), free_port()

    @property
    def url(self) -> str:
        """How to connect."""
        return f"amqp://guest:guest@{self.host}:{self.port}/"

    def prepare(self) -> None:
        lines = [f"listeners.tcp.1 = {self.host}:{self.port}", "loopback_users = none"]
        (self.folder / "rabbitmq.conf").write_text("\n".join([*lines, ""]))
        # How often channels are looked at for a consumer_timeout.
        (self.folder / "advanced.config").write_text(
            f"[{{rabbit, [{{channel_tick_interval, {self._tick_ms}}}]}}]."
        )
        (self.folder / "plugins").write_text("[].")

    @property
    def argv(self) -> Sequence[str]:
        return [str(self._bin / "rabbitmq-server")]

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "NODENAME": f"atrium{self.port}@localhost",
            "DIST_PORT": str(self._dist_port),
            "CONF_ENV_FILE": str(self.folder / "none"),
            "CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "MNESIA_BASE": str(self.folder / "mnesia"),
            "LOG_BASE": str(self.folder / "log"),
            "PID_FILE": str(self.folder / "pid"),
        }
        return {
            **super().environment,
            **{f"RABBITMQ_{name}": value for name, value in own.items()},
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def ready(self) -> bool:
        return _answers(self.host, self.port, b"AMQP\x00\x00\x09\x01")

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl on this node."""
        return self.call(str(self._bin / "rabbitmqctl"), "-q", *arguments)

    def clear(self) -> None:
        epmd = ("epmd", "-port", str(self._epmd_port))
        for _ in range(20):  # it refuses until it has noticed that its node is gone
            with contextlib.suppress(RuntimeError, FileNotFoundError):
                self.call(*epmd, "-kill")
                return
            time.sleep(0.1)


class PrivatePostgreSQL(PrivateServer):
    """A PostgreSQL cluster."""

    run_as = "postgres"

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self._bin = _newest(Path("/usr/lib/postgresql"), tool="bin/postgres")
        super().__init__(host=host)

    @property
    def uri(self) -> str:
        """The address of its database postgres."""
        return f"postgresql+psycopg://postgres@{self.host}:{self.port}/postgres"

    def prepare(self) -> None:
        data = str(self.folder / "data")
        initdb = (str(self._bin / "initdb"), "-D", data, "-U", "postgres", "-A", "trust")
        self.call(*initdb, "-E", "UTF8", "--locale", "C", "--no-sync")
        if self.host != "127.0.0.1":
            with (self.folder / "data" / "pg_hba.conf").open("a") as hba:
                hba.write("host all all samenet trust\n")

    @property
    def argv(self) -> Sequence[str]:
        where = ["-D", str(self.folder / "data"), "-p", str(self.port), "-h", self.host]
        return [str(self._bin / "postgres"), *where, "-k", str(self.folder)]

    def ready(self) -> bool:
        tool = str(self._bin / "pg_isready")
        with contextlib.suppress(RuntimeError):
            return bool(self.call(tool, "-h", self.host, "-p", str(self.port), "-U", "postgres"))
        return False


class PrivateMariaDB(PrivateServer):
    """A MariaDB server."""

    run_as = "mysql"

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self._server = _first("/usr/sbin", "/usr/bin", tool="mariadbd") / "mariadbd"
        self._install = _first("/usr/bin", tool="mariadb-install-db") / "mariadb-install-db"
        super().__init__(host=host)

    @property
    def uri(self) -> str:
        """The address of its database mysql."""
        return f"mysql+pymysql://root@{self.host}:{self.port}/mysql?charset=utf8mb4"

    def prepare(self) -> None:
        here = ("--no-defaults", f"--datadir={self.folder / 'data'}")
        self.call(
            str(self._install),
            *here,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )

    @property
    def argv(self) -> Sequence[str]:
        return [
            str(self._server),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
        ]

    def ready(self) -> bool:
        return _answers(self.host, self.port, b"")


def _first(*folders: str, tool: str) -> Path:
    for folder in folders:
        if (Path(folder) / tool).exists():
            return Path(folder)
    raise Missing(f"{tool} is not installed")


def _newest(folder: Path, *, tool: str) -> Path:
    found = sorted(folder.glob(f"*/{tool}"), key=lambda path: path.parts[-3].zfill(4))
    if not found:
        raise Missing(f"{Path(tool).name} is not installed")
    return found[-1].parent


def _answers(host: str, port: int, greeting: bytes) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0) as connection:
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False
