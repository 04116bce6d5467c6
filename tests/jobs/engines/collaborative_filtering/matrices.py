"""Small matrices for the tests of the models."""

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from jobs.engines.collaborative_filtering import (
    BM25,
    EASE,
    TFIDF,
    Blend,
    BlendConfig,
    Centre,
    CentredConfig,
    CentredItems,
    CoView,
    EASEConfig,
    Interactions,
    ItemItem,
    ItemItemConfig,
    Jaccard,
    JaccardConfig,
    Popularity,
    RankBlend,
    RecentPopularity,
    Recommender,
    RP3beta,
    TFIDFConfig,
    TrendConfig,
    UserUser,
    UserUserConfig,
    build_interactions,
)

DAY_S = 86_400.0


def every_model() -> dict[str, Recommender]:
    """One of each, not fitted; every test of the shared suite runs on all."""
    return {
        "item-item": ItemItem(),
        "item-item, asymmetric, recency": ItemItem(
            ItemItemConfig(neighbours=12, alpha=0.7, shrinkage=2, recency=1, binary=False)
        ),
        "user-user": UserUser(),
        "user-user, weighted": UserUser(UserUserConfig(neighbours=12, shrinkage=1, binary=False)),
        "window": CoView(),
        "blend": Blend(BlendConfig(neighbours=12, trend=TrendConfig(power=0.5))),
        "blend with a floor": Blend(BlendConfig(trend=TrendConfig(power=0.5), floor=0.3)),
        "jaccard": Jaccard(JaccardConfig(neighbours=12)),
        "adjusted cosine": CentredItems(),
        "pearson": CentredItems(CentredConfig(centre=Centre.ITEM, recency=1)),
        "bm25": BM25(),
        "tf-idf": TFIDF(TFIDFConfig(recency=1)),
        "rp3beta": RP3beta(),
        "ease": EASE(EASEConfig(ridge=1)),
        "rank blend": RankBlend(parts=[(1, ItemItem()), (0.5, UserUser())]),
        "popularity": Popularity(),
        "recent popularity": RecentPopularity(),
    }


def checker_board(size: int) -> sparse.csr_matrix:
    """Even users met even items and odd users odd ones; the diagonal is kept back."""
    row, column = np.indices((size, size))
    board = ((row % 2 == column % 2) & (row != column)).astype(np.float32)
    return sparse.csr_matrix(board)


def dense(rows: list[list[float]]) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(rows, dtype=np.float32))


def random_interactions(
    *, seed: int = 0, n_users: int = 40, n_items: int = 15, n_events: int = 300
) -> Interactions:
    """Events of users and items whose ids are not positions, popular items more often."""
    random = np.random.default_rng(seed)
    return build_interactions(
        random.integers(0, n_users, n_events) * 7 + 100,
        (random.random(n_events) ** 2 * n_items).astype(np.int64) * 3 + 50,
        times_s=np.arange(n_events) * DAY_S / 10,
        weights=random.choice([1.0, 2.0, 3.0], n_events),
    )


@st.composite
def interactions(draw: st.DrawFn) -> Interactions:
    """Any small set of events."""
    event = st.tuples(
        st.integers(0, 8), st.integers(0, 8), st.integers(0, 20), st.sampled_from([1, 2])
    )
    events = draw(st.lists(event, min_size=1, max_size=40))
    users, items, days, weights = np.array(events).T
    return build_interactions(users, items, times_s=days * DAY_S, weights=weights)
