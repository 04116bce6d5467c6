"""Collaborative filtering: who did what in, neighbours, lists with reasons and figures out.

    from jobs.engines import collaborative_filtering as cf

    interactions = cf.behaviour_matrix(users, items, kinds=kinds, values=values, times_s=seconds)
    model = cf.train(interactions, cf.TrainingConfig(), progress=lambda fraction, text: ...)
    model.top_n(history, 10, exclude=hidden)   # Suggestion(item_id, score, reasons)
    cf.save_run(model, path); model = cf.load_run(path)

A history is a list of item ids, oldest first. Ids are whole numbers or text, the caller's own.
The classes of MODELS (ItemItem, UserUser, CoView, EASE, Blend, ...) work on positions and follow the interface of the library `implicit`; `evaluate` compares them on a split."""

from jobs.engines.collaborative_filtering.behaviour import (
    FEW_STARS,
    KINDS,
    MEETINGS,
    EventWeights,
    behaviour_matrix,
)
from jobs.engines.collaborative_filtering.blend import Blend, BlendConfig, Scale
from jobs.engines.collaborative_filtering.centred import Centre, CentredConfig, CentredItems
from jobs.engines.collaborative_filtering.choice import choose, choose_served
from jobs.engines.collaborative_filtering.co_view import CoView, CoViewConfig
from jobs.engines.collaborative_filtering.content import (
    ContentConfig,
    ItemContent,
    content_neighbours,
)
from jobs.engines.collaborative_filtering.csv_rows import Problem
from jobs.engines.collaborative_filtering.ease import EASE, EASEConfig, TooManyItems
from jobs.engines.collaborative_filtering.evaluation import evaluate
from jobs.engines.collaborative_filtering.executors import NoEngine
from jobs.engines.collaborative_filtering.fields import InvalidRatings
from jobs.engines.collaborative_filtering.interactions import (
    Interactions,
    Keep,
    build_interactions,
)
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.jaccard import Jaccard, JaccardConfig
from jobs.engines.collaborative_filtering.live_items import LiveItems
from jobs.engines.collaborative_filtering.metrics import Figure, MetricRow, SegmentRow
from jobs.engines.collaborative_filtering.mixtures import NAMED, Choice, Mixture
from jobs.engines.collaborative_filtering.model_names import MODELS
from jobs.engines.collaborative_filtering.popularity import (
    Popularity,
    PopularityConfig,
    RecentPopularity,
    RecentPopularityConfig,
)
from jobs.engines.collaborative_filtering.rank_blend import RankBlend, RankBlendConfig
from jobs.engines.collaborative_filtering.rating_prediction import FEWEST_RATINGS, errors_of
from jobs.engines.collaborative_filtering.reader import (
    ItemText,
    ItemTexts,
    RatingLine,
    Ratings,
    rating_lines,
    read_items,
    read_ratings,
)
from jobs.engines.collaborative_filtering.recommender import CoCount, Recommender
from jobs.engines.collaborative_filtering.refresh import Refreshed, refresh, touched_items
from jobs.engines.collaborative_filtering.results import (
    ActivityGrid,
    Coverage,
    Neighbour,
    Neighbours,
    PopularityCurve,
    Reason,
    Suggestion,
)
from jobs.engines.collaborative_filtering.rp3beta import RP3beta, RP3betaConfig
from jobs.engines.collaborative_filtering.rules import ListRules
from jobs.engines.collaborative_filtering.run_file import NotARun, load_run, save_run
from jobs.engines.collaborative_filtering.splits import Split, by_time, leave_last_out
from jobs.engines.collaborative_filtering.trained import TrainedModel
from jobs.engines.collaborative_filtering.training import TrainingConfig, train
from jobs.engines.collaborative_filtering.trend import TrendConfig
from jobs.engines.collaborative_filtering.user_user import UserUser, UserUserConfig
from jobs.engines.collaborative_filtering.weighting import BM25, TFIDF, BM25Config, TFIDFConfig

__all__ = [
    "BM25",
    "EASE",
    "FEWEST_RATINGS",
    "FEW_STARS",
    "KINDS",
    "MEETINGS",
    "MODELS",
    "NAMED",
    "TFIDF",
    "ActivityGrid",
    "BM25Config",
    "Blend",
    "BlendConfig",
    "Centre",
    "CentredConfig",
    "CentredItems",
    "Choice",
    "CoCount",
    "CoView",
    "CoViewConfig",
    "ContentConfig",
    "Coverage",
    "EASEConfig",
    "EventWeights",
    "Figure",
    "Interactions",
    "InvalidRatings",
    "ItemContent",
    "ItemItem",
    "ItemItemConfig",
    "ItemText",
    "ItemTexts",
    "Jaccard",
    "JaccardConfig",
    "Keep",
    "ListRules",
    "LiveItems",
    "MetricRow",
    "Mixture",
    "Neighbour",
    "Neighbours",
    "NoEngine",
    "NotARun",
    "Popularity",
    "PopularityConfig",
    "PopularityCurve",
    "Problem",
    "RP3beta",
    "RP3betaConfig",
    "RankBlend",
    "RankBlendConfig",
    "RatingLine",
    "Ratings",
    "Reason",
    "RecentPopularity",
    "RecentPopularityConfig",
    "Recommender",
    "Refreshed",
    "Scale",
    "SegmentRow",
    "Split",
    "Suggestion",
    "TFIDFConfig",
    "TooManyItems",
    "TrainedModel",
    "TrainingConfig",
    "TrendConfig",
    "UserUser",
    "UserUserConfig",
    "behaviour_matrix",
    "build_interactions",
    "by_time",
    "choose",
    "choose_served",
    "content_neighbours",
    "errors_of",
    "evaluate",
    "leave_last_out",
    "load_run",
    "rating_lines",
    "read_items",
    "read_ratings",
    "refresh",
    "save_run",
    "touched_items",
    "train",
]
