"""Every text a visitor can see goes through gettext and has a Chinese translation with the same placeholders."""

import re
from functools import cache
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from tests.conftest import ROOT

FOLDER = ROOT / "dashboard" / "translations"
PO = FOLDER / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "lazy": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]|%[sdi]|\{\w+\}")
# Text between tags of a template that is not an expression: letters in a row.
BARE_TEXT = re.compile(r">[^<>{}]*[A-Za-z\u4e00-\u9fff]{3,}[^<>{}]*<")


@cache
def catalogue() -> Catalog:
    return read_po(BytesIO(PO.read_bytes()), locale="zh_Hans_CN")


@cache
def extracted() -> list[tuple[str, str]]:
    with (FOLDER / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(ROOT, methods, options, keywords=KEYWORDS)
    texts = []
    for name, line, message, _comments, _context in found:
        for text in message if isinstance(message, tuple) else (message,):
            if text:
                texts.append((f"{name}:{line}", text))
    return texts


def test_there_are_texts() -> None:
    assert len(extracted()) > 200


def test_every_text_has_a_translation() -> None:
    known = catalogue()

    missing = {}
    for place, text in extracted():
        entry = known.get(text)
        if not _is_plural_form(text) and (entry is None or not entry.string or entry.fuzzy):
            missing.setdefault(text, place)

    assert not missing, f"{len(missing)} texts without Chinese (make translations): {missing}"


def test_translations_keep_placeholders() -> None:
    wrong = []
    for entry in catalogue():
        if not entry.id or not entry.string:
            continue
        source = entry.id[-1] if isinstance(entry.id, tuple) else entry.id
        targets = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        wrong += [
            t for t in targets if set(PLACEHOLDER.findall(t)) != set(PLACEHOLDER.findall(source))
        ]

    assert not wrong


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "templates").rglob("*.html")),
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_a_template_has_no_bare_text(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{#.*?#\}|<!--.*?-->|<(script|style)\b.*?</\1>", "", text, flags=re.S)
    text = re.sub(r"\{% *trans\b.*?\{% *endtrans *%\}", "{{}}", text, flags=re.S)
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "{}", text, flags=re.S)

    bare = [found.strip() for found in BARE_TEXT.findall(text)]

    assert not [b for b in bare if not _is_name(b)]


def _is_plural_form(text: str) -> bool:
    """Whether `text` is the plural of an entry that is filed under its singular."""
    return any(isinstance(entry.id, tuple) and text == entry.id[1] for entry in catalogue())


def _is_name(text: str) -> bool:
    # Names that are the same in every language.
    return text.strip("<> \n") in {
        "Atrium",
        "English",
        "中文",
        "curl",
        "Python",
        "JSON",
        "CSV",
        "PNG",
        "SVG",
        "OpenAPI 3.1",
        "NDCG",
        "MAP",
        "Ctrl K",
        "PSI",
        "SHA-256",
    }
