"""Two hosts on this machine: network namespaces joined by a bridge, where the servers listen."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from tests.factories.servers import Missing

BRIDGE, NAMES = "atrium-br", ("atrium-a", "atrium-b")
NETWORK = "10.213.77"


@dataclass(frozen=True)
class Hosts:
    """The hosts, whose only way to anything is the bridge."""

    address: str
    """Where servers listen so that all hosts reach them."""
    prefixes: tuple[tuple[str, ...], ...]
    """What starts a command on each host."""

    def cut_off(self, place: int) -> None:
        """Unplug a host."""
        _ip("link", "set", f"{NAMES[place]}-up", "down")

    def join(self, place: int) -> None:
        """Plug it in again."""
        _ip("link", "set", f"{NAMES[place]}-up", "up")


@contextlib.contextmanager
def two_hosts() -> Iterator[Hosts]:
    """Two hosts, gone at the end. Raises Missing where this machine cannot have them."""
    if shutil.which("ip") is None:
        raise Missing("ip (Debian: iproute2) is not installed")
    _clear()
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
    except subprocess.CalledProcessError as error:
        raise Missing(f"no network namespaces here: {error.stderr}") from error
    try:
        _ip("address", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for number, name in enumerate(NAMES, 2):
            _add_host(name, f"{NETWORK}.{number}/24")
        yield Hosts(f"{NETWORK}.1", tuple(("ip", "netns", "exec", name) for name in NAMES))
    finally:
        _clear()


def _add_host(name: str, address: str) -> None:
    outside, inside = f"{name}-up", f"{name}-in"
    _ip("netns", "add", name)
    _ip("link", "add", outside, "type", "veth", "peer", "name", inside)
    _ip("link", "set", outside, "master", BRIDGE, "up")
    _ip("link", "set", inside, "netns", name)
    _ip("-n", name, "address", "add", address, "dev", inside)
    for device in ("lo", inside):
        _ip("-n", name, "link", "set", device, "up")


def _clear() -> None:
    """Remove what is there, also what a killed bench has left."""
    found = [("link", "delete", f"{name}-up") for name in NAMES]
    found += [("netns", "delete", name) for name in NAMES]
    for words in (*found, ("link", "delete", BRIDGE)):
        # The one end of a cable goes with the other.
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip(*words)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
