"""The engine's parameters from the portal's configuration."""

from dataclasses import fields, replace

from flask import current_app

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


def event_weights() -> cf.EventWeights:
    """What an event of each kind counts, in a training and in the history of a list."""
    settings: Recommendations = current_app.config["ATRIUM"].recommendations
    kinds = [field.name for field in fields(cf.EventWeights)]
    return cf.EventWeights(**{kind: getattr(settings, f"weight_{kind}") for kind in kinds})
