"""The models by the names that the command line and its readers use."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from jobs.engines.collaborative_filtering.blend import Blend
from jobs.engines.collaborative_filtering.centred import Centre, CentredConfig, CentredItems
from jobs.engines.collaborative_filtering.co_view import CoView
from jobs.engines.collaborative_filtering.ease import EASE, EASEConfig
from jobs.engines.collaborative_filtering.item_item import ItemItem, ItemItemConfig
from jobs.engines.collaborative_filtering.jaccard import Jaccard
from jobs.engines.collaborative_filtering.popularity import Popularity, RecentPopularity
from jobs.engines.collaborative_filtering.rank_blend import RankBlend
from jobs.engines.collaborative_filtering.recommender import Recommender
from jobs.engines.collaborative_filtering.rp3beta import RP3beta, RP3betaConfig
from jobs.engines.collaborative_filtering.user_user import UserUser
from jobs.engines.collaborative_filtering.weighting import BM25, TFIDF

BASELINES = ("popularity", "recent-popularity")
DEFAULT = "blend"
OF_RATINGS = ("adjusted-cosine", "pearson")
"""Of clicks that all count the same these are the plain cosine."""

MODELS: Mapping[str, Callable[[], Recommender]] = MappingProxyType(
    {
        "popularity": Popularity,
        "recent-popularity": RecentPopularity,
        "item-cosine": ItemItem,
        "asymmetric-cosine": lambda: ItemItem(
            ItemItemConfig(neighbours=200, alpha=0.7, shrinkage=2.0, recency=1.0)
        ),
        "jaccard": Jaccard,
        "adjusted-cosine": CentredItems,
        "pearson": lambda: CentredItems(CentredConfig(centre=Centre.ITEM)),
        "bm25": BM25,
        "tfidf": TFIDF,
        "user-cosine": UserUser,
        "rp3beta": lambda: RP3beta(RP3betaConfig(recency=1.0)),
        "ease": lambda: EASE(EASEConfig(recency=1.0)),
        "window": CoView,
        "rank-blend": lambda: RankBlend(
            parts=[
                (1.0, CoView()),
                (1.0, RP3beta(RP3betaConfig(recency=1.0))),
                (0.2, RecentPopularity()),
            ]
        ),
    }
)
"""Every model but the default, which is chosen by a search: see `choice`."""

RankBlend.kinds = {
    kind.__name__: kind
    for kind in (
        *(Popularity, RecentPopularity, ItemItem, Jaccard, CentredItems, BM25, TFIDF),
        *(UserUser, RP3beta, EASE, CoView, Blend),
    )
}
