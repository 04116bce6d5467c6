"""What code written for the library `implicit` expects beyond the suite that every model passes."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from jobs.engines.collaborative_filtering import (
    BM25,
    Blend,
    BlendConfig,
    BM25Config,
    CoView,
    ItemItem,
    ItemItemConfig,
    Popularity,
    Recommender,
    UserUser,
    leave_last_out,
)
from jobs.engines.collaborative_filtering.metrics import judge
from tests.jobs.engines.collaborative_filtering.matrices import (
    checker_board,
    every_model,
    random_interactions,
)

OF_ITEMS = [
    name
    for name in every_model()
    if "user-user" not in name and "popularity" not in name and name != "rank blend"
]
DATA = random_interactions()
SPLIT = leave_last_out(DATA)


def fitted(model: Recommender) -> Recommender:
    model.fit(DATA.user_items, show_progress=False, times=DATA.times)
    return model


def precision_at_k(
    model: Recommender, train: sparse.csr_matrix, test: sparse.csr_matrix, k: int
) -> float:
    """What `implicit.evaluation` does: users in batches, and ids read as C integers in place."""
    users = np.flatnonzero(np.diff(test.indptr))
    found = possible = 0
    for start in range(0, len(users), 7):
        batch = users[start : start + 7]
        ids, _ = model.recommend(batch, train[batch], N=k)
        view = memoryview(ids)
        assert (view.format, view.shape) == ("i", (len(batch), k))
        for row, user in enumerate(batch):
            liked = set(test[user].indices.tolist())
            possible += min(k, len(liked))
            found += sum(view[row, place] in liked for place in range(k))
    return found / possible


@pytest.mark.parametrize("name", list(every_model()))
class TestEveryModel:
    def test_gives_ids_that_compiled_code_can_read(self, name: str) -> None:
        hidden = sparse.csr_matrix((DATA.n_users, DATA.n_items), dtype=np.float32).tolil()
        hidden[SPLIT.users] = SPLIT.hidden
        model = every_model()[name]
        model.fit(SPLIT.train.user_items, times=SPLIT.train.times)

        found = precision_at_k(model, SPLIT.train.user_items, hidden.tocsr(), k=5)

        lists, _ = model.recommend(SPLIT.users, SPLIT.train.user_items[SPLIT.users], N=5)
        assert found == pytest.approx(judge(lists, hidden=SPLIT.hidden).recall.mean())
        assert model.recommend(3, DATA.user_items[3])[0].dtype == np.int32

    @pytest.mark.parametrize(("asked", "written"), [("model", "model.npz"), ("a.npz", "a.npz")])
    def test_is_loaded_from_the_path_it_was_saved_to(
        self, name: str, asked: str, written: str, tmp_path: Path
    ) -> None:
        model = fitted(every_model()[name])

        for path in (str(tmp_path / asked), tmp_path / asked):
            model.save(path)
            again = type(model).load(path)
            assert [file.name for file in tmp_path.iterdir()] == [written]
            np.testing.assert_array_equal(
                again.recommend(3, DATA.user_items[3])[0], model.recommend(3, DATA.user_items[3])[0]
            )

    def test_is_saved_to_an_open_file(self, name: str, tmp_path: Path) -> None:
        model = fitted(every_model()[name])
        with (tmp_path / "any name").open("w+b") as file:
            model.save(file)
            file.seek(0)
            again = type(model).load(file)

        assert again.config == model.config

    def test_can_be_pickled(self, name: str) -> None:
        model = fitted(every_model()[name])

        again = pickle.loads(pickle.dumps(model))

        for one, other in zip(
            again.recommend(3, DATA.user_items[3]),
            model.recommend(3, DATA.user_items[3]),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)

    def test_ranks_every_item_it_is_given(self, name: str) -> None:
        model = fitted(every_model()[name])
        items = [14, 2, 5, 7, 11]

        ids, scores = model.recommend(
            np.arange(DATA.n_users),
            DATA.user_items,
            items=items,
            N=5,
            filter_already_liked_items=False,
        )

        for row, values in zip(ids, scores, strict=True):
            assert sorted(row.tolist()) == sorted(items)
            unknown = row[values == np.finfo(np.float32).min]
            assert (np.diff(values) <= 0).all()
            assert (np.diff(unknown) > 0).all()

    def test_gives_no_item_that_was_met_among_those_it_is_given(self, name: str) -> None:
        model = fitted(every_model()[name])
        own = DATA.history(3)

        ids, _ = model.recommend(3, DATA.user_items[3], items=np.arange(DATA.n_items), N=99)

        assert sorted([*ids.tolist(), *own.tolist()]) == list(range(DATA.n_items))


@pytest.mark.parametrize("name", OF_ITEMS)
class TestSimilarItems:
    def test_gives_the_item_itself_first(self, name: str) -> None:
        model = fitted(every_model()[name])

        ids, scores = model.similar_items(np.arange(DATA.n_items), N=6)

        assert ids.dtype == np.int32
        assert ids[:, 0].tolist() == list(range(DATA.n_items))
        assert (scores[:, 0] >= 1).all()
        assert (np.diff(scores, axis=1) <= 0).all()

    def test_gives_one_as_in_one_go(self, name: str) -> None:
        model = fitted(every_model()[name])
        ids, scores = model.similar_items([3, 4], N=4)

        for row, item in enumerate((3, 4)):
            one_ids, one_scores = model.similar_items(item, N=4)
            np.testing.assert_array_equal(ids[row][ids[row] >= 0], one_ids)
            np.testing.assert_array_equal(scores[row][ids[row] >= 0], one_scores)

    def test_ranks_every_item_it_is_given_and_leaves_out_others(self, name: str) -> None:
        model = fitted(every_model()[name])

        assert set(model.similar_items(4, items=[0, 4, 9])[0].tolist()) == {0, 4, 9}
        assert not {4, 0} & set(model.similar_items(4, filter_items=[0, 4])[0].tolist())


class TestTies:
    @pytest.mark.parametrize("make", [Blend, CoView, ItemItem, BM25])
    def test_do_not_displace_the_item_itself(self, make: Callable[[], Recommender]) -> None:
        model = make()
        board = checker_board(50)
        model.fit(board, times=np.zeros(board.nnz))

        for item in range(50):
            assert model.similar_items(item, N=1)[0].tolist() == [item]
            ids, scores = model.similar_items(item, N=3)
            assert ids[0] == item
            assert model.similar_items(item, N=1)[1][0] == scores[0] >= scores[1]

    def test_do_not_displace_the_user_herself(self) -> None:
        model = UserUser()
        model.fit(sparse.csr_matrix(np.ones((4, 3), dtype=np.float32)))

        ids, scores = model.similar_users([2, 3], N=2)

        assert (ids.tolist(), scores.tolist()) == ([[2, 0], [3, 0]], [[1, 1], [1, 1]])
        assert ids.dtype == np.int32
        assert model.similar_users(2, users=[1, 0])[0].tolist() == [0, 1]


class TestArguments:
    def test_may_be_those_of_implicit(self) -> None:
        # Its K counts the item itself.
        assert ItemItem(K=20, num_threads=1).config == ItemItemConfig(neighbours=19)
        assert ItemItem(20).config == ItemItemConfig(neighbours=19)
        assert BM25(K=20, K1=1.5, B=0.75).config == BM25Config(neighbours=19, k1=1.5, b=0.75)
        assert BM25(20, 1.5, 0.75, 1).config == BM25Config(neighbours=19, k1=1.5, b=0.75)
        assert UserUser(K=5).config.neighbours == 4
        assert Blend(K=5).config == BlendConfig(neighbours=4)

    def test_may_be_the_fields_of_the_configuration(self) -> None:
        assert ItemItem(neighbours=7, alpha=0.7).config == ItemItemConfig(neighbours=7, alpha=0.7)

    def test_keep_so_many_neighbours_with_the_item_itself(self) -> None:
        model = fitted(ItemItem(K=4))

        assert model.similar_items(3, N=99)[0].tolist() == model.similar_items(3, N=4)[0].tolist()
        assert len(model.similar_items(3, N=99)[0]) == 4
        assert fitted(ItemItem(K=1)).similar_items(3, N=99)[0].tolist() == [3]

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: ItemItem(K=20, K1=1.2), "ItemItemConfig has no k1"),
            (lambda: Popularity(K=20), "PopularityConfig has no K"),
            (lambda: ItemItem(ItemItemConfig(), K=20), "not both"),
            (lambda: ItemItem(20, K=20), "K is given twice"),
            (lambda: ItemItem(20, 1, 2), "takes K, num_threads, got 3 values"),
        ],
    )
    def test_that_do_not_fit_are_named(self, make: Callable[[], Recommender], message: str) -> None:
        with pytest.raises(TypeError, match=message):
            make()

    def test_count_the_item_itself(self) -> None:
        with pytest.raises(ValueError, match="K must be 1 or more"):
            ItemItem(K=0)
