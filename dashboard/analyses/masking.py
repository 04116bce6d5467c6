"""How a patient's name, age and file names look to everybody, their owner included."""

import re

STAR = "*"
MAX_STARS = 3
DECADE = 10
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+\Z")


def mask_name(name: str) -> str:
    """张小三 → 张*三, 张三 → 张*, John Smith → J*** S***; never longer than the name, masked twice the same."""
    return " ".join(_masked_word(word) for word in name.split())


def mask_age(age: int | None) -> str:
    """43 → 40–49; "" without an age."""
    if age is None:
        return ""
    begin = age // DECADE * DECADE
    return f"{begin}–{begin + DECADE - 1}"


def mask_file(name: str) -> str:
    """P1_primary.tsv → P***y.tsv: enough to tell two files apart."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    if len(stem) <= 2:
        return f"{stem[:-1]}{STAR}{dot}{extension}"
    stars = STAR * min(MAX_STARS, len(stem) - 2)
    return f"{stem[0]}{stars}{stem[-1]}{dot}{extension}"


def gives_away(text: str, name: str) -> bool:
    """Whether the text contains the name, or a word of it that says something."""
    folded, words = text.casefold(), name.casefold().split()
    parts = [
        name.casefold().strip(),
        *(word for word in words if len(word) >= 3 or _HAN.match(word)),
    ]
    return any(part and len(part) > 1 and part in folded for part in parts)


def _masked_word(word: str) -> str:
    if len(word) == 1:
        return STAR
    if _HAN.match(word.replace(STAR, "一")) and len(word) > 2:
        return word[0] + STAR * (len(word) - 2) + word[-1]
    return word[0] + STAR * min(MAX_STARS, len(word) - 1)
