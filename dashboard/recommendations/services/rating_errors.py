"""How far ratings that are foretold lie from those that were given: kept in a run's recipe."""

from typing import Any

import numpy as np

from dashboard.activity.models import EventKind
from dashboard.recommendations.queries import Events
from jobs.engines import collaborative_filtering as cf

# Comparing all pairs takes time with the square of their number: so many take four seconds.
MOST_COMPARED = 10_000


def rating_errors(events: Events, *, seed: int) -> dict[str, Any]:
    """The number of ratings, the newest of each person and item, and the RMSE by method in stars with
    its 95 % interval.

    No method stands there when there are too few ratings; those that compare are left out when
    there are too many people or items."""
    rated = (events.kinds == cf.KINDS.index(EventKind.RATING)) & np.isfinite(events.values)
    newest_last = np.flatnonzero(rated)[np.argsort(events.times_s[rated], kind="stable")]
    users, items = events.user_ids[newest_last], events.item_ids[newest_last]
    errors = cf.errors_of(
        users, items, events.values[newest_last], seed=seed, most_compared=MOST_COMPARED
    )
    n_ratings = np.unique(np.stack([users, items]), axis=1).shape[1]
    return {
        "n": n_ratings,
        "rmse": {name: error.value for name, error in errors.items()},
        "rmse_intervals": {name: [error.low, error.high] for name, error in errors.items()},
    }
