"""Items of like content, for what nobody has met yet: TF-IDF of their texts and tags.

Texts count by their runs of two to four characters: that needs no list of words, and serves Chinese,
which writes none apart, as well as English."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from jobs.engines.collaborative_filtering.arrays import CSR
from jobs.engines.collaborative_filtering.kernel import drop_itself, keep_strongest

# Characters of a text that are looked at: what it is about stands at its beginning.
LONGEST_TEXT = 2_000
BLOCK_ROWS = 2_000


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
    vectors = _vectors(items, config)
    across = vectors.T.tocsr()
    blocks = []
    for start in range(0, len(items), BLOCK_ROWS):
        rows = np.arange(start, min(start + BLOCK_ROWS, len(items)))
        block = sparse.csr_matrix(vectors[rows] @ across, dtype=np.float32)
        block.data[block.data < config.least] = 0.0
        drop_itself(block, rows)
        blocks.append(keep_strongest(block, keep=config.neighbours))
    empty = sparse.csr_matrix((0, len(items)), dtype=np.float32)
    return sparse.vstack([empty, *blocks], format="csr", dtype=np.float32)


def _vectors(items: Sequence[ItemContent], config: ContentConfig) -> CSR:
    """One row of length 1 an item, of 0 when nothing is written about it."""
    # Brings half a second of imports, which only a training needs.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

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
    return sparse.csr_matrix(normalize(sparse.hstack(parts, format="csr")), dtype=np.float32)


def _itself(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tags
