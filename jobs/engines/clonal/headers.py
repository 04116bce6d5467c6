"""The first line of a mutation table: its column names, and what may be wrong with it."""

import re

from jobs.engines.clonal.values import clean

ALIASES = {"alt_counts": "var_counts", "tumor_content": "tumour_content"}
SEPARATOR_HINTS = {
    ",": "; columns must be separated by tabs, not by commas",
    ";": "; columns must be separated by tabs, not by semicolons",
    "|": "; columns must be separated by tabs, not by bars",
    " ": "; columns must be separated by tabs, not by spaces",
}
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF_16_HINT, GB_HINT = "; it looks like UTF-16", "; it looks like GBK"
# A Chinese character in GB 2312, the common part of GBK and GB 18030.
_GB_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")


def parse_header(line: str) -> list[str]:
    """The column names of a header line, spelt as the rules spell them."""
    names = (clean(name).lower().replace(" ", "_").replace("-", "_") for name in line.split("\t"))
    return [ALIASES.get(name, name) for name in names]


def separator_hint(head: str) -> str:
    """What to add to the advice when the columns were separated by something else than tabs."""
    if "\t" in head:
        return ""
    for mark, hint in SEPARATOR_HINTS.items():
        if mark in head.strip():
            return hint
    return ""


def encoding_hint(content: bytes) -> str:
    """What to add when bytes that are not UTF-8 look like another encoding."""
    if content.startswith(UTF_16_MARKS):
        return UTF_16_HINT
    left = _GB_PAIR.sub(b"", content)
    return GB_HINT if left != content and left.isascii() else ""
