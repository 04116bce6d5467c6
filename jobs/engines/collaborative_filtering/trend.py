"""What is wanted now: users per item, halved with every half-life that has passed."""

from dataclasses import dataclass

import numpy as np

from jobs.engines.collaborative_filtering.arrays import CSR, DAY_S, Times, Vector


@dataclass(frozen=True)
class TrendConfig:
    """How strongly the present demand for an item changes its score."""

    power: float = 0.0
    """Scores are multiplied by (1 + recent users) to this power. 0: no trend; 0.5 to 1: a model
    that is trained rarely keeps up with what people do now."""
    half_life_days: float = 30.0
    """After so many days an event counts half. 14 to 30 days did best on a training site."""


def recent_counts(user_items: CSR, times: Times | None, *, half_life_days: float) -> Vector:
    """Users per item, each halved for every half-life before the newest event. (n_items,)"""
    if times is None:
        raise ValueError("recent demand needs the time of every entry: fit(user_items, times=...)")
    if not len(times):
        return np.zeros(user_items.shape[1], dtype=np.float32)
    age_days = (np.max(times) - times) / DAY_S
    counts = np.bincount(
        user_items.indices, 0.5 ** (age_days / half_life_days), minlength=user_items.shape[1]
    )
    return counts.astype(np.float32)


def trend_factor(user_items: CSR, times: Times | None, *, config: TrendConfig) -> Vector:
    """What the score of every item is multiplied with, 1 and above. (n_items,)"""
    if config.power == 0:
        return np.ones(user_items.shape[1], dtype=np.float32)
    counts = recent_counts(user_items, times, half_life_days=config.half_life_days)
    return np.power(1.0 + counts, np.float32(config.power), dtype=np.float32)
