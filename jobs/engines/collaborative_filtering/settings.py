"""The configuration of a model, given as ours or in the words of the library `implicit`."""

import numbers
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

# What `implicit` calls the fields of our configurations.
THEIR_NAMES = {"K1": "k1", "B": "b"}


def configured(
    kind: type, config: Any, values: Sequence[Any], named: dict[str, Any], *, order: Sequence[str]
) -> Any:
    """A configuration of this kind: `config` itself, or one made of its fields by name.

    `implicit`'s arguments K, K1, B and num_threads do as well, by name or in the `order` it has. Its
    K counts the item itself as a neighbour; num_threads changes nothing: a fit takes one thread.
    Raises TypeError for a name that the configuration does not have."""
    if isinstance(config, numbers.Real):
        values, config = (config, *values), None
    if config is not None and (values or named):
        raise TypeError(f"give a {kind.__name__} or its fields, not both")
    if len(values) > len(order):
        raise TypeError(f"takes {', '.join(order)}, got {len(values)} values")
    given = dict(zip(order, values, strict=False))
    if twice := given.keys() & named.keys():
        raise TypeError(f"{', '.join(sorted(twice))} is given twice")
    given |= named
    given.pop("num_threads", None)
    if config is not None:
        return config
    known = {each.name for each in fields(kind)}
    settings = {THEIR_NAMES.get(name, name): value for name, value in given.items()}
    if "K" in settings and "neighbours" in known:
        settings["neighbours"] = _others(settings.pop("K"))
    if unknown := settings.keys() - known:
        raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(**settings)


def _others(k: int) -> int:
    if k < 1:
        raise ValueError("K must be 1 or more: it counts the item itself")
    return int(k) - 1
