"""The first line of a mutation table: its column names, and what may be wrong with it."""

from jobs.engines.clonal.values import clean

ALIASES = {"alt_counts": "var_counts", "tumor_content": "tumour_content"}


def parse_header(line: str) -> list[str]:
    """The column names of a header line, spelt as the rules spell them."""
    names = (clean(name).lower().replace(" ", "_").replace("-", "_") for name in line.split("\t"))
    return [ALIASES.get(name, name) for name in names]


def separator_hint(head: str) -> str:
    """What to add to the advice when the columns were separated by something else than tabs."""
    if "\t" in head:
        return ""
    found = {",": "commas", ";": "semicolons", "|": "bars"}
    name = next((word for mark, word in found.items() if mark in head), "")
    if not name and " " in head.strip():
        name = "spaces"
    return f"; columns must be separated by tabs, not by {name}" if name else ""
