"""Items of like content, for what nobody has met yet: TF-IDF of their texts and tags.

Texts count by their runs of two to four characters: that needs no list of words, and serves Chinese,
which writes none apart, as well as English."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import CSR, column_counts, no_tick
from jobs.engines.collaborative_filtering.blocks import neighbours_of
from jobs.engines.collaborative_filtering.kernel import Denominator

# Characters of a text that are looked at: what it is about stands at its beginning.
LONGEST_TEXT = 2_000
# Multiplications of all comparisons at most: about a minute.
MOST_WORK = 5e9


@dataclass(frozen=True)
class ContentConfig:
    """How items are compared by what is written about them."""

    neighbours: int = 50
    """Alike items kept for every item."""
    tag_weight: float = 0.5
    """Share of the tags in the comparison; the text has the rest."""
    least: float = 0.05
    """Cosines below are chance: every two texts of a language share some letters."""
    max_features: int = 200_000
    """Different runs of characters at most, the most frequent ones: bounds the memory."""


@dataclass(frozen=True)
class ItemContent:
    """What is known of an item before anybody met it."""

    text: str
    """Title and summary, whatever the language."""
    tags: tuple[str, ...] = ()
    language: str = ""


def content_neighbours(items: Sequence[ItemContent], config: ContentConfig | None = None) -> CSR:
    """(n_items, n_items) cosines above `least`, no diagonal, the strongest of every row."""
    config = config or ContentConfig()
    vectors = _affordable(_vectors(items, config))
    ones = np.ones(len(items), dtype=np.float32)
    table = neighbours_of(
        vectors,
        denominator=Denominator(left=ones, right=ones),
        keep=config.neighbours,
        tick=no_tick,
    )
    table.data[table.data < config.least] = 0.0
    table.eliminate_zeros()
    return table


def _affordable(vectors: CSR) -> CSR:
    """The vectors without the most frequent runs, where comparing by all would take too long.

    What nearly every text has says least and costs most: a run of n items takes n squared steps."""
    n_items = column_counts(vectors).astype(np.float64)
    order = np.argsort(n_items, kind="stable")
    kept = np.zeros(len(n_items), dtype=bool)
    kept[order[np.cumsum(n_items[order] ** 2) <= MOST_WORK]] = True
    return vectors if kept.all() else _of_length_1(vectors[:, np.flatnonzero(kept)])


def _vectors(items: Sequence[ItemContent], config: ContentConfig) -> CSR:
    """One row of length 1 an item, of 0 when nothing is written about it."""
    # Brings half a second of imports, which only a training needs.
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 4),
        sublinear_tf=True,
        max_features=config.max_features,
        dtype=np.float32,
    )
    tags = TfidfVectorizer(analyzer=_itself, dtype=np.float32)
    parts: list[Any] = []
    for vectorizer, documents, weight in (
        (texts, [each.text[:LONGEST_TEXT] for each in items], 1 - config.tag_weight),
        (tags, [each.tags for each in items], config.tag_weight),
    ):
        if any(documents):
            try:
                parts.append(vectorizer.fit_transform(documents) * np.sqrt(weight))
            except ValueError:
                continue  # signs only, not one letter
    if not parts:
        return sparse.csr_matrix((len(items), 1), dtype=np.float32)
    return _of_length_1(sparse.hstack(parts, format="csr"))


def _of_length_1(rows: Any) -> CSR:
    # Imported late, as above.
    from sklearn.preprocessing import normalize

    return sparse.csr_matrix(normalize(rows), dtype=np.float32)


def _itself(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tags
