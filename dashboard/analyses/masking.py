"""How a patient's name, age and file names look to everybody, their owner included."""

import re
import unicodedata

STAR = "*"
MAX_STARS = 3
DECADE = 10
TELLING_LETTERS = 4
"""Of a name written as one word: fewer occur in other words too."""
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
    return f"{mask_sample(stem)}{dot}{extension}"


def mask_sample(name: str) -> str:
    """P1_primary → P***y: what a table calls a sample, dots and all."""
    if len(name) <= 2:
        return f"{name[:-1]}{STAR}"
    return f"{name[0]}{STAR * min(MAX_STARS, len(name) - 2)}{name[-1]}"


def gives_away(text: str, name: str) -> bool:
    """Whether the text contains the name, a word of it that says something, or all of it written as one word."""
    told, name = _folded(text), _folded(name)
    words = name.split()
    parts = [name.strip(), *(word for word in words if len(word) >= 3 or _HAN.match(word))]
    if any(len(part) > 1 and part in told for part in parts):
        return True
    letters = "".join(filter(str.isalnum, told))
    # Family names come first or last: BoLi, Li_Bo.
    wholes = {"".join(words), "".join(reversed(words))}
    return any(
        (len(whole) >= TELLING_LETTERS or (len(whole) > 1 and _HAN.match(whole)))
        and whole in letters
        for whole in wholes
    )


def _folded(text: str) -> str:
    """Without case and width: ＺＨＡＮＧ is zhang."""
    return unicodedata.normalize("NFKC", text).casefold()


def _masked_word(word: str) -> str:
    if len(word) == 1:
        return STAR
    if _HAN.match(word.replace(STAR, "一")) and len(word) > 2:
        return word[0] + STAR * (len(word) - 2) + word[-1]
    return word[0] + STAR * min(MAX_STARS, len(word) - 1)
