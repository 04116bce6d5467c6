"""The engines' words in the reader's language: what an input should have been, why a file is refused or a run failed.

What is not among the phrases, such as what foreign programs say, stays as it came.
"""

import re
from functools import cache, lru_cache
from typing import Any

from flask_babel import force_locale, get_locale

from dashboard.serving.services.phrases import PHRASES

_PLACE = re.compile(r"%\((\w+)\)s")


def said(text: str) -> str:
    """What an engine says, in the reader's language."""
    return _said(text, str(get_locale()))


@lru_cache(maxsize=1024)
def _said(text: str, locale: str) -> str:
    for pattern, phrase in _patterns():
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            if "what" in parts:
                parts["what"] = _said(parts["what"], locale)
            return str(phrase) % parts if parts else str(phrase)
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], Any]]:
    with force_locale("en"):
        return [(_pattern_of(str(phrase)), phrase) for phrase in PHRASES]


def _pattern_of(phrase: str) -> re.Pattern[str]:
    texts = _PLACE.split(phrase)
    texts[::2] = [re.escape(each) for each in texts[::2]]
    texts[1::2] = [f"(?P<{name}>.*?)" for name in texts[1::2]]
    return re.compile("".join(texts), re.DOTALL)
