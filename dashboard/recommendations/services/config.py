"""The engine's parameters from the portal's configuration."""

from dataclasses import replace

from dashboard.core.config import Recommendations
from jobs.engines import collaborative_filtering as cf


def training_config(settings: Recommendations, *, model: str = "auto") -> cf.TrainingConfig:
    """What a training computes; `model` is a name of cf.NAMED."""
    default = cf.TrainingConfig()
    return cf.TrainingConfig(
        blend=replace(default.blend, neighbours=settings.n_neighbours),
        user=cf.UserUserConfig(neighbours=settings.n_neighbours),
        mixtures=cf.NAMED[model],
        engine=settings.engine,
        popular_half_life_days=settings.popular_half_life_days,
    )
