"""The formulas of the item models against dense, straightforward sums."""

import numpy as np
import pytest
from scipy import sparse

from jobs.engines.collaborative_filtering import (
    BM25,
    EASE,
    TFIDF,
    BM25Config,
    Centre,
    CentredConfig,
    CentredItems,
    EASEConfig,
    Jaccard,
    RP3beta,
    RP3betaConfig,
    TooManyItems,
)
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions

DATA = random_interactions()
W = DATA.user_items.toarray().astype(float)
X = (W > 0).astype(float)


def table(model: Jaccard | RP3beta | EASE | CentredItems | BM25 | TFIDF) -> np.ndarray:
    model.fit(DATA.user_items, times=DATA.times)
    return np.asarray(model.similarity.todense())


def positive(expected: np.ndarray) -> np.ndarray:
    np.fill_diagonal(expected, 0)
    return np.maximum(expected, 0)


def test_jaccard_is_a_share_of_either() -> None:
    both, n = X.T @ X, X.sum(axis=0)

    expected = positive(both / (n[:, None] + n[None, :] - both))

    np.testing.assert_allclose(table(Jaccard()), expected, rtol=1e-5)


def test_rp3beta_walks_three_steps() -> None:
    n, length = X.sum(axis=0), X.sum(axis=1)
    walk = (X / n).T @ (X / length[:, None])

    expected = positive(walk / n[None, :] ** 0.4)

    config = RP3betaConfig(alpha=1.0, beta=0.4)
    np.testing.assert_allclose(table(RP3beta(config)), expected, rtol=1e-4)


def test_ease_is_the_closed_form() -> None:
    inverse = np.linalg.inv(X.T @ X + 10 * np.eye(X.shape[1]))

    expected = positive(-inverse / np.diag(inverse))

    np.testing.assert_allclose(table(EASE(EASEConfig(ridge=10))), expected, atol=1e-5)


def test_ease_refuses_a_large_catalogue() -> None:
    with pytest.raises(TooManyItems, match="5,000"):
        EASE().fit(sparse.csr_matrix((2, 5_001), dtype=np.float32))


@pytest.mark.parametrize("centre", list(Centre))
def test_centred_compares_over_the_users_of_both(centre: Centre) -> None:
    axis = 1 if centre is Centre.USER else 0
    means = W.sum(axis=axis, keepdims=True) / X.sum(axis=axis, keepdims=True)
    deviation = (W - means) * X
    both = X.T @ X
    below = np.sqrt((deviation**2).T @ X * (X.T @ deviation**2))
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.nan_to_num(deviation.T @ deviation / below)

    expected = positive(alike * both / (both + 10))

    found = table(CentredItems(CentredConfig(centre=centre)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_bm25_and_tfidf_weigh_busy_users_less() -> None:
    rarity = np.log((X.shape[1] + 1) / (X.sum(axis=1, keepdims=True) + 0.5))
    n = W.sum(axis=0)
    bm25 = W * 2.2 / (1.2 * (0.8 + 0.2 * n / n.mean()) + W) * rarity
    tfidf = np.sqrt(W) * rarity
    tfidf /= np.sqrt((tfidf**2).sum(axis=0))

    np.testing.assert_allclose(
        table(BM25(BM25Config(k1=1.2, b=0.2))), positive(bm25.T @ bm25), rtol=1e-4
    )
    np.testing.assert_allclose(table(TFIDF()), positive(tfidf.T @ tfidf), rtol=1e-4)
