"""A JSON list element by element, so that its length costs no memory.

The decoder is the standard library's: numbers and texts are what `json.load` makes of them, and elements
nested too deeply are refused, where the builders of `ijson` take memory with the square of the depth."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TextIO, TypeVar

CHUNK = 1 << 16
# An interaction has some hundred characters; a text that never ends must not fill the memory.
LONGEST_ELEMENT = 1 << 20

Found = TypeVar("Found")
Step = Callable[[str, int], tuple[Found, int]]
"""What stands in a text from a place on, and the place after it. Raises ValueError."""

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class BrokenList(ValueError):
    """From some character on the text is no JSON list; nothing after it was read."""


def elements(file: TextIO) -> Iterator[Any]:
    """Every element in its order. Raises BrokenList, after the elements before the fault."""
    window = _Window(file)
    ends = window.read(_opening)
    while not ends:
        value, ends = window.read(_element)
        yield value
    window.read_rest()


class _Window:
    """A part of the file, which moves on."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._text, self._place = file, "", 0
        self._n_dropped = 0

    def read(self, step: Step[Found]) -> Found:
        """What `step` finds next. What is cut off by the end of the window looks broken: so it is
        tried again with more of the file."""
        while True:
            try:
                found, self._place = step(self._text, self._place)
                return found
            except RecursionError as error:
                raise self._broken("nested too deeply", self._place) from error
            except ValueError as error:
                if len(self._text) - self._place > LONGEST_ELEMENT or not self._grow():
                    place = getattr(error, "pos", self._place)
                    raise self._broken(getattr(error, "msg", str(error)), place) from error

    def read_rest(self) -> None:
        """Nothing but space may come."""
        while True:
            self._place = _after_space(self._text, self._place)
            if self._place < len(self._text):
                raise self._broken("Extra data", self._place)
            if not self._grow():
                return

    def _grow(self) -> bool:
        """Drop what was read and read on; False at the end of the file."""
        rest = self._text[self._place :]
        # As much again: an element that fills many chunks is tried few times.
        more = self._file.read(max(CHUNK, len(rest)))
        if not more:
            return False
        self._n_dropped += self._place
        self._text, self._place = rest + more, 0
        return True

    def _broken(self, why: str, place: int) -> BrokenList:
        return BrokenList(f"{why}, character {self._n_dropped + place + 1:,} of the file")


def _opening(text: str, place: int) -> tuple[bool, int]:
    """The bracket that opens the list; whether it is closed at once."""
    place = _after_space(text, place)
    if text[place : place + 1] != "[":
        raise json.JSONDecodeError("Expecting a list", text, place)
    place = _after_space(text, place + 1)
    if place == len(text):
        raise json.JSONDecodeError("Expecting value", text, place)
    return (True, place + 1) if text[place] == "]" else (False, place)


def _element(text: str, place: int) -> tuple[tuple[Any, bool], int]:
    """An element and what follows it; whether it was the last one."""
    value, place = _DECODER.raw_decode(text, _after_space(text, place))
    place = _after_space(text, place)
    mark = text[place : place + 1]
    if mark not in {",", "]"}:
        raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
    return (value, mark == "]"), place + 1


def _after_space(text: str, place: int) -> int:
    return _SPACE.match(text, place).end()  # type: ignore[union-attr]
