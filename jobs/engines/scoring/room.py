"""What a server keeps in memory for all its callers together: their requests, and answers that they do not read."""

from __future__ import annotations

MAX_HELD_BYTES = 128 * 2**20
SMALL_BYTES = 2**16
"""A caller may have this much under way whatever others hold, so that short requests are always answered."""


class Room:
    """All of it."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0


class Share:
    """One caller's part."""

    __slots__ = ("_room", "held")

    def __init__(self, room: Room) -> None:
        self._room, self.held = room, 0

    def take(self, n_bytes: int) -> None:
        """So much more is held."""
        self.held += n_bytes
        self._room.held += n_bytes

    def keep(self, n_bytes: int) -> None:
        """Only so much is held any more."""
        self._room.held += n_bytes - self.held
        self.held = n_bytes

    def has_room_for(self, n_bytes: int) -> bool:
        """Whether a request of this size may come, once it has come whole."""
        others = self._room.held - self.held
        return n_bytes <= SMALL_BYTES or others + n_bytes <= MAX_HELD_BYTES

    @property
    def is_too_large(self) -> bool:
        """Whether all hold too much, and this caller some of it."""
        return self._room.held > MAX_HELD_BYTES and self.held > SMALL_BYTES
