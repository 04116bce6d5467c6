"""What a list follows beside behaviour: content for what is new, less of the same, a language first."""

from dataclasses import dataclass

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR, Ids, Vector
from jobs.engines.collaborative_filtering.interactions import Labels

# A history of so many items, and so many people of an item, halve what content counts.
HALF_HISTORY, HALF_PEOPLE = 5.0, 5.0
# What is written in another language keeps its order, but comes after everything else: below any
# score of the first, and still a number that float32 holds.
OTHER_LANGUAGE = np.float32(1e-20)
# Places looked at for each one filled while a list is made more varied.
CANDIDATES = 5


@dataclass(frozen=True)
class ListRules:
    """How a list is made from scores; the numbers are 0 to 1, and 0 switches a rule off."""

    content: float = 0.0
    """What likeness in content counts for a newcomer or a new item, beside the best by behaviour;
    it fades with the length of the history and with the people of the item."""
    penalty: float = 0.0
    """Scores are divided by (1 + people of the item) to this power."""
    diversity: float = 0.0
    """What likeness to an item further up costs (maximal marginal relevance,
    Carbonell and Goldstein 1998)."""
    languages: tuple[str, ...] = ()
    """Items of these languages, and of none, come first. Empty: language does not matter."""


PLAIN = ListRules()
"""Behaviour alone."""


def content_weight(rules: ListRules, *, n_history: int, people: Ids) -> Vector:
    """(n_items,) what a likeness of 1 counts: most for a short history and for new items."""
    newcomer = HALF_HISTORY / (HALF_HISTORY + n_history)
    new = HALF_PEOPLE / (HALF_PEOPLE + people)
    return (rules.content * np.maximum(newcomer, new)).astype(np.float32)


def language_factor(languages: Labels, rules: ListRules) -> Vector:
    """(n_items,) 1 for the languages asked for and for none, next to nothing for others."""
    first = np.isin(languages, [*rules.languages, ""])
    return np.where(first, np.float32(1), OTHER_LANGUAGE).astype(np.float32)


def diversified(candidates: Ids, scores: Vector, *, alike: CSR, n: int, diversity: float) -> Ids:
    """The n candidates by score less their likeness to those taken already, greedily.

    candidates: positions, best first. scores: (n_items,). alike: (n_items, n_items), 0 to 1."""
    if diversity <= 0 or len(candidates) <= 1:
        return candidates[:n]
    value = scores[candidates] / max(float(scores[candidates[0]]), 1e-30)
    likeness = alike[candidates][:, candidates].toarray()
    likeness = np.maximum(likeness, likeness.T)
    nearest = np.zeros(len(candidates), dtype=np.float32)
    left = np.ones(len(candidates), dtype=bool)
    taken: list[int] = []
    for _ in range(min(n, len(candidates))):
        worth = (1 - diversity) * value - diversity * nearest
        best = int(np.argmax(np.where(left, worth, -np.inf)))
        taken.append(best)
        left[best] = False
        nearest = np.maximum(nearest, likeness[best])
    return candidates[taken]
