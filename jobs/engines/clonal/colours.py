"""Colours, markers and dashes of clusters, the same on the page and in a file.

No two of the eight colours look alike to colour-blind readers (a test simulates it), and clusters next
to each other differ in marker too, so that colour is never the only sign."""

from dataclasses import dataclass

# Okabe and Ito 2008 without black and yellow, which one of the two themes would swallow.
PALETTE = (
    "#0072b2",
    "#e69f00",
    "#d55e00",
    "#56b4e9",
    "#990033",
    "#009e73",
    "#cc79a7",
    "#6666eb",
)
# Names of plotly, and those of matplotlib beside them. Seven: with eight colours 56 pairs differ.
SYMBOLS = (
    ("circle", "o"),
    ("square", "s"),
    ("diamond", "D"),
    ("triangle-up", "^"),
    ("triangle-down", "v"),
    ("cross", "P"),
    ("star", "*"),
)
DASHES = (("solid", "-"), ("dash", "--"), ("dot", ":"), ("dashdot", "-."))


@dataclass(frozen=True)
class ClusterStyle:
    """How one cluster looks everywhere."""

    colour: str
    symbol: str
    """Of plotly."""
    marker: str
    """Of matplotlib."""
    dash: str
    """Of plotly: as many clusters as colours are solid, then dashes tell them apart."""
    line: str
    """Of matplotlib."""


def cluster_style(cluster: int) -> ClusterStyle:
    """The style of a cluster by its number; the first 56 all differ."""
    symbol, marker = SYMBOLS[cluster % len(SYMBOLS)]
    dash, line = DASHES[cluster // len(PALETTE) % len(DASHES)]
    return ClusterStyle(PALETTE[cluster % len(PALETTE)], symbol, marker, dash, line)
