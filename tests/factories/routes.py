"""Werkzeug's address builders, compiled once for a process instead of once for each portal made in it."""

from collections.abc import Callable

from werkzeug.routing.rules import Rule

Builder = Callable[..., tuple[str, str]]

_builders: dict[tuple[object, ...], Builder] = {}
_compile = Rule._compile_builder


def _compile_once(rule: Rule, append_unknown: bool = True) -> Builder:
    # All that the compiled function is made of; the rule itself is its first argument.
    made_of = (
        rule.rule,
        tuple(rule._trace),
        tuple((rule.defaults or {}).items()),
        append_unknown,
    )
    if made_of not in _builders:
        _builders[made_of] = _compile(rule, append_unknown)
    return _builders[made_of]


def compile_once() -> None:
    """Use the compiled builders again: they take half the time of making a portal, which most tests do."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign]
