"""Messages: the frozen dataclass per kind of queued work that a service enqueues and a task receives.

A message is the contract between both ends, so it is registered once under a stable kind name
and travels as plain JSON.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

Message = Any
"""An instance of a class registered with `@message`."""

M = TypeVar("M", bound=type)


class BadMessage(ValueError):
    """The message cannot be read: its kind is unknown or its fields do not fit."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a kind of work without its task."""

    name: str
    queue: str
    type: type


_kinds: dict[str, Kind] = {}


def message(name: str, *, queue: str | None = None) -> Callable[[M], M]:
    """Register a frozen dataclass as the message of the kind `name`.

    The queue is the part of the name before the dot unless given: workers are told apart by
    queue, so kinds that need workers of their own need a queue of their own.
    """

    def register(cls: M) -> M:
        known = _kinds.get(name)
        if known is not None and known.type.__qualname__ != cls.__qualname__:
            raise ValueError(f"kind {name!r} is already taken by {known.type.__qualname__}")
        _kinds[name] = Kind(name=name, queue=queue or name.partition(".")[0], type=cls)
        return cls

    return register


def kind_of(message_type: type) -> Kind:
    """The kind under which a message class was registered."""
    for kind in _kinds.values():
        if kind.type is message_type:
            return kind
    raise BadMessage(f"{message_type.__qualname__} is not registered with @message")


def registered_kinds() -> list[Kind]:
    """Every kind that the modules imported so far have registered."""
    return list(_kinds.values())


def dump(value: Message) -> dict[str, Any]:
    """The fields of a message as plain JSON values."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def load(name: str, args: dict[str, Any] | None) -> Message:
    """The message of the kind `name` with these fields; BadMessage when they do not fit."""
    if args is None:
        raise BadMessage(f"{name}: its arguments cannot be read")
    kind = _kinds.get(name)
    if kind is None:
        raise BadMessage(f"unknown kind of job: {name}")
    try:
        return kind.type(**args)
    except TypeError as error:
        raise BadMessage(f"{name}: {error}") from error
