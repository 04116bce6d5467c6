"""The suite that every model passes, and the interface it shares with `implicit`."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from jobs.engines.collaborative_filtering import (
    Interactions,
    ItemItem,
    Popularity,
    Recommender,
    UserUser,
)
from tests.jobs.engines.collaborative_filtering.matrices import (
    checker_board,
    every_model,
    interactions,
    random_interactions,
)

MODELS = list(every_model())
BASELINES = ["popularity", "recent popularity"]
PERSONAL = [name for name in MODELS if name not in BASELINES]
# A floor is what a score holds beyond its reasons.
EXPLAINED = [name for name in PERSONAL if name != "blend with a floor"]
QUICK = settings(max_examples=25, deadline=None)


def fitted(name: str, data: Interactions) -> Recommender:
    model = every_model()[name]
    model.fit(data.user_items, times=data.times)
    return model


@pytest.mark.parametrize("name", MODELS)
class TestEveryModel:
    @QUICK
    @given(data=interactions())
    def test_never_recommends_what_was_met(self, name: str, data: Interactions) -> None:
        model = fitted(name, data)

        ids, _ = model.recommend(np.arange(data.n_users), data.user_items, N=9)

        for user, row in enumerate(ids):
            assert not set(row.tolist()) & set(data.history(user).tolist())

    @QUICK
    @given(data=interactions())
    def test_gives_each_item_once_with_falling_positive_scores(
        self, name: str, data: Interactions
    ) -> None:
        model = fitted(name, data)

        for user in range(data.n_users):
            ids, scores = model.recommend(user, data.user_items[user], N=9)
            assert len(set(ids.tolist())) == len(ids)
            assert (scores > 0).all()
            assert (np.diff(scores) <= 0).all()
            assert all(
                a < b
                for a, b, same in zip(ids, ids[1:], np.diff(scores) == 0, strict=False)
                if same
            )

    def test_asks_one_by_one_as_in_one_go(self, name: str) -> None:
        data = random_interactions()
        model = fitted(name, data)

        ids, scores = model.recommend(np.arange(data.n_users), data.user_items, N=4)

        for user in range(data.n_users):
            one_ids, one_scores = model.recommend(user, data.user_items[user], N=4)
            np.testing.assert_array_equal(ids[user][ids[user] >= 0], one_ids)
            np.testing.assert_array_equal(scores[user][ids[user] >= 0], one_scores)

    def test_can_be_saved_and_loaded(self, name: str, tmp_path: Path) -> None:
        data = random_interactions()
        model = fitted(name, data)

        model.save(tmp_path / "model.npz")
        again = type(model).load(tmp_path / "model.npz")

        before = model.recommend(np.arange(data.n_users), data.user_items)
        after = again.recommend(np.arange(data.n_users), data.user_items)
        assert again.config == model.config
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[1], after[1])

    def test_leaves_out_the_items_it_is_told_to(self, name: str) -> None:
        data = random_interactions()
        model = fitted(name, data)
        best = model.recommend(3, data.user_items[3])[0]

        rest = model.recommend(3, data.user_items[3], filter_items=best[:2])[0]

        assert rest.tolist() == best[2:].tolist()

    def test_ranks_only_the_items_it_is_given(self, name: str) -> None:
        data = random_interactions()
        model = fitted(name, data)
        best = model.recommend(3, data.user_items[3])[0]

        some = model.recommend(3, data.user_items[3], items=best[1:3])[0]

        assert some.tolist() == best[1:3].tolist()

    def test_gives_what_was_met_when_asked_to(self, name: str) -> None:
        data = random_interactions(n_users=5, n_items=4)
        model = fitted(name, data)

        ids, _ = model.recommend(0, data.user_items[0], filter_already_liked_items=False)

        assert set(ids.tolist()) & set(data.history(0).tolist())

    @pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3), (1, 1), (3, 3)])
    def test_accepts_an_empty_matrix(self, name: str, shape: tuple[int, int]) -> None:
        user_items = sparse.csr_matrix(shape, dtype=np.float32)
        model = every_model()[name]

        model.fit(user_items, times=np.empty(0))

        ids, _ = model.recommend(np.arange(shape[0]), user_items, N=2)
        assert ids.tolist() == [[-1, -1]] * shape[0]

    def test_accepts_one_user_and_one_item(self, name: str) -> None:
        model = every_model()[name]
        user_items = sparse.csr_matrix(np.ones((1, 1), dtype=np.float32))

        model.fit(user_items, times=np.zeros(1))

        assert model.recommend(0, user_items)[0].tolist() == []

    def test_refuses_to_answer_before_it_is_fitted(self, name: str) -> None:
        with pytest.raises(ValueError, match="has not been fitted"):
            every_model()[name].recommend(0, checker_board(2)[0])

    def test_refuses_a_number_that_is_not_finite(self, name: str) -> None:
        user_items = checker_board(4)
        user_items.data[0] = np.nan

        with pytest.raises(ValueError, match="not finite"):
            every_model()[name].fit(user_items, times=np.zeros(user_items.nnz))


@pytest.mark.parametrize("name", PERSONAL)
class TestPersonalModel:
    def test_can_be_cancelled_while_it_fits(self, name: str) -> None:
        def cancel(_fraction: float) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            data = random_interactions()
            every_model()[name].fit(data.user_items, callback=cancel, times=data.times)

    def test_finds_the_kept_back_item_of_a_checker_board(self, name: str) -> None:
        board = checker_board(20)
        model = every_model()[name]
        model.fit(board, times=np.zeros(board.nnz))

        ids, _ = model.recommend(np.arange(20), board, N=1)

        assert ids.ravel().tolist() == list(range(20))

    def test_explains_nothing_without_a_history(self, name: str) -> None:
        assert fitted(name, random_interactions()).contributions([], 1) == []


@pytest.mark.parametrize("name", EXPLAINED)
class TestExplain:
    def test_explains_a_score_by_contributions_that_add_up(self, name: str) -> None:
        data = random_interactions()
        model = fitted(name, data)
        own = slice(data.indptr[3], data.indptr[4])

        for item, score in zip(
            *model.recommend(3, data.user_items[3], recalculate_user=True), strict=True
        ):
            parts = model.contributions(data.history(3), int(item), data.weights[own])
            assert {i for i, _ in parts} <= set(data.history(3).tolist())
            assert [p for _, p in parts] == sorted((p for _, p in parts), reverse=True)
            assert sum(p for _, p in parts) == pytest.approx(score, rel=1e-4)

    def test_has_the_form_that_users_of_implicit_know(self, name: str) -> None:
        data = random_interactions()
        model = fitted(name, data)
        ids, scores = model.recommend(3, data.user_items[3], recalculate_user=True)

        total, top, row = model.explain(3, data.user_items, int(ids[0]), N=2)

        assert total == pytest.approx(scores[0], rel=1e-4)
        assert top == model.explain(3, data.user_items[3], int(ids[0]))[1][:2]
        assert model.explain(3, data.user_items, int(ids[0]), user_weights=row, N=2)[:2] == (
            total,
            top,
        )


# Models that keep so many neighbours that small matrices lose none: where neighbours are cut,
# equally near ones stay by id, so renumbering may exchange them.
@pytest.mark.parametrize("name", ["item-item", "user-user", "window", *BASELINES])
class TestRenumbering:
    @QUICK
    @given(data=interactions(), seed=st.integers(0, 99))
    def test_of_users_changes_no_score(self, name: str, data: Interactions, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(data.n_users)
        own = [data.times[data.indptr[user] : data.indptr[user + 1]] for user in order]
        model, other = fitted(name, data), every_model()[name]
        other.fit(data.user_items[order], times=np.concatenate(own))

        _, scores = model.recommend(order, data.user_items[order], N=5)
        _, again = other.recommend(np.arange(data.n_users), data.user_items[order], N=5)

        np.testing.assert_allclose(scores, again, rtol=1e-5)

    @QUICK
    @given(data=interactions(), seed=st.integers(0, 99))
    def test_of_items_changes_no_score(self, name: str, data: Interactions, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(data.n_items)
        user_items, renamed = data.user_items, data.user_items
        renamed.indices = order.astype(renamed.indices.dtype)[renamed.indices]
        model, other = fitted(name, data), every_model()[name]
        other.fit(renamed, times=data.times)

        _, scores = model.recommend(np.arange(data.n_users), user_items, N=5)
        _, again = other.recommend(np.arange(data.n_users), renamed, N=5)

        np.testing.assert_allclose(scores, again, rtol=1e-5)


class TestRecommend:
    def test_refuses_rows_that_do_not_belong_to_the_users(self) -> None:
        model = ItemItem()
        model.fit(checker_board(6))

        with pytest.raises(ValueError, match="a row for each user and 6 columns"):
            model.recommend([0, 1, 2], checker_board(6)[:2])

    def test_refuses_both_kinds_of_filter(self) -> None:
        model = ItemItem()
        model.fit(checker_board(6))

        with pytest.raises(ValueError, match="not both"):
            model.recommend(0, checker_board(6)[0], filter_items=[1], items=[2])

    def test_refuses_an_unknown_item(self) -> None:
        model = ItemItem()
        model.fit(checker_board(6))

        with pytest.raises(IndexError, match="not among the 6"):
            model.recommend(0, checker_board(6)[0], filter_items=[6])

    def test_takes_a_row_of_a_sparse_array(self) -> None:
        model = ItemItem()
        model.fit(checker_board(6))

        ids, _ = model.recommend(0, sparse.csr_array(checker_board(6))[0:1])

        assert ids.tolist() == [0]


class TestSimilar:
    def test_gives_the_item_itself_first(self) -> None:
        model = ItemItem()
        model.fit(checker_board(10))

        ids, scores = model.similar_items(4, N=3)

        assert ids[0] == 4
        assert scores[0] == 1.0
        assert (ids % 2 == 0).all()

    def test_leaves_out_the_users_it_is_told_to(self) -> None:
        model = UserUser()
        model.fit(checker_board(10))

        assert 6 not in model.similar_users(4, N=9, filter_users=[6])[0]

    def test_ranks_only_those_it_is_given(self) -> None:
        items, users = ItemItem(), UserUser()
        items.fit(checker_board(10))
        users.fit(checker_board(10))

        assert items.similar_items(4, items=[0, 2])[0].tolist() == [0, 2]
        assert users.similar_users(4, users=[6])[0].tolist() == [6]

    def test_compares_no_item_anew(self) -> None:
        model = ItemItem()
        model.fit(checker_board(6))

        with pytest.raises(NotImplementedError, match="by a fit"):
            model.similar_items(0, recalculate_item=True)

    def test_says_when_a_model_does_not_compare_items(self) -> None:
        model = Popularity()
        model.fit(checker_board(4))

        with pytest.raises(NotImplementedError, match="Popularity does not compare items"):
            model.similar_items(0)


class TestCoCounts:
    def test_counts_the_users_of_both_items(self) -> None:
        model = ItemItem()
        model.fit(checker_board(6))

        counts = model.co_counts(0, 2)

        # Users 0, 2 and 4 met even items, each but its own.
        assert (counts.both, counts.n) == (1, 2)


class TestLoad:
    def test_refuses_another_kind_of_model(self, tmp_path: Path) -> None:
        model = Popularity()
        model.fit(checker_board(4))
        model.save(tmp_path / "model.npz")

        with pytest.raises(ValueError, match="does not hold a ItemItem model"):
            ItemItem.load(tmp_path / "model.npz")
