"""Use cases: lists with reasons, feedback on them, training, and what administrators rule.

The rules of what is recommended (which events count, what is hidden, how many people a count needs)
are in lists.py, serving.py and ../queries/behaviour.py.
"""

from dashboard.recommendations.services.experiments import (
    ArmResult,
    Outcome,
    outcome_of,
    start_experiment,
    stop_experiment,
)
from dashboard.recommendations.services.feedback import (
    dismiss,
    heed,
    ignore,
    request_training,
    restore,
)
from dashboard.recommendations.services.importing import Imported, import_interactions
from dashboard.recommendations.services.lists import (
    Explanation,
    Recommendation,
    explain,
    popular_items,
    recommendations_for,
    related_items,
)
from dashboard.recommendations.services.online import record_click, record_shown
from dashboard.recommendations.services.publishing import use_run
from dashboard.recommendations.services.reasons import Reason
from dashboard.recommendations.services.refreshing import refresh_all
from dashboard.recommendations.services.ruling import (
    RuleFields,
    create_rule,
    delete_rule,
    set_list_settings,
    update_rule,
)
from dashboard.recommendations.services.serving import signals_of
from dashboard.recommendations.services.training import train

__all__ = [
    "ArmResult",
    "Explanation",
    "Imported",
    "Outcome",
    "Reason",
    "Recommendation",
    "RuleFields",
    "create_rule",
    "delete_rule",
    "dismiss",
    "explain",
    "heed",
    "ignore",
    "import_interactions",
    "outcome_of",
    "popular_items",
    "recommendations_for",
    "record_click",
    "record_shown",
    "refresh_all",
    "related_items",
    "request_training",
    "restore",
    "set_list_settings",
    "signals_of",
    "start_experiment",
    "stop_experiment",
    "train",
    "update_rule",
    "use_run",
]
