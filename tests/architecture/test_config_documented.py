"""Every setting stands in config.toml with a comment above it, at its default."""

import tomllib
from dataclasses import fields
from typing import get_type_hints

import pytest

from dashboard.core.config import DATABASE_KEY, Config
from tests.conftest import CONFIG

SECTIONS = {name: kind for name, kind in get_type_hints(Config).items() if name != "database_uri"}
SETTINGS = [(section, field.name) for section, kind in SECTIONS.items() for field in fields(kind)]
LINES = CONFIG.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("section", "key"), SETTINGS, ids=lambda value: value)
def test_a_setting_is_documented_with_its_default(section: str, key: str) -> None:
    table = tomllib.loads("\n".join(LINES))[section]

    assert key in table, f"[{section}] {key} is missing from config.toml"
    assert table[key] == type(table[key])(_default(section, key)) or str(table[key]) == str(
        _default(section, key)
    )


@pytest.mark.parametrize("key", [DATABASE_KEY, *(f"{s}.{k}" for s, k in SETTINGS)])
def test_a_setting_has_a_comment(key: str) -> None:
    section, _, name = key.rpartition(".")
    start = LINES.index(f"[{section}]") if section else 0
    number = next(i for i in range(start, len(LINES)) if LINES[i].startswith(f"{name} ="))

    above = number - 1
    while (
        LINES[above].partition(" =")[0] in dict(SETTINGS).values()
        or "=" in LINES[above].partition("#")[0]
    ):
        above -= 1  # one comment may stand above a group of lines
    assert LINES[above].startswith("#"), f"{key} has no comment above it"


def _default(section: str, key: str) -> object:
    return next(f.default for f in fields(SECTIONS[section]) if f.name == key)
