"""Use cases: lists with reasons, feedback on them, and training.

The rules of what is recommended (which events count, what is hidden, how many people a count needs)
are in lists.py and in ../queries.py.
"""

from dashboard.recommendations.services.feedback import dismiss, request_training, restore
from dashboard.recommendations.services.lists import (
    Explanation,
    Recommendation,
    explain,
    popular_items,
    recommendations_for,
    related_items,
)
from dashboard.recommendations.services.reasons import Reason
from dashboard.recommendations.services.training import train

__all__ = [
    "Explanation",
    "Reason",
    "Recommendation",
    "dismiss",
    "explain",
    "popular_items",
    "recommendations_for",
    "related_items",
    "request_training",
    "restore",
    "train",
]
