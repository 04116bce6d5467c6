"""Items of like content, in English and in Chinese; what lists follow beside behaviour."""

import numpy as np
import pytest

from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering import content
from jobs.engines.collaborative_filtering.rules import diversified, language_factor

TEXTS = [
    cf.ItemContent("Excel for beginners", ("office",), "en"),
    cf.ItemContent("Advanced Excel charts", ("office",), "en"),
    cf.ItemContent("Baking bread at home", ("kitchen",), "en"),
    cf.ItemContent("数据分析入门", ("数据",), "zh"),
    cf.ItemContent("数据分析进阶与可视化", ("数据",), "zh"),
    cf.ItemContent("", (), ""),
]


class TestContentNeighbours:
    def test_finds_what_is_alike_in_both_languages(self) -> None:
        table = cf.content_neighbours(TEXTS).toarray()

        assert table[0].argmax() == 1
        assert table[3].argmax() == 4
        assert table[0, 2] == table[0, 3] == 0

    def test_is_symmetric_without_a_diagonal_and_between_0_and_1(self) -> None:
        table = cf.content_neighbours(TEXTS).toarray()

        np.testing.assert_allclose(table, table.T, atol=1e-6)
        assert not table.diagonal().any()
        assert table.min() >= 0
        assert table.max() <= 1 + 1e-6

    def test_leaves_out_what_nearly_all_texts_have_where_comparing_by_it_takes_too_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = ["zebra", "quartz", "physics", "violin"]
        items = [cf.ItemContent(f"course about {words[n % 4]}") for n in range(40)]
        whole = cf.content_neighbours(items)
        monkeypatch.setattr(content, "MOST_WORK", 40**2)

        found = cf.content_neighbours(items)

        same = np.arange(40)[:, None] % 4 == np.arange(40) % 4
        np.testing.assert_array_equal(found.toarray() > 0, same & ~np.eye(40, dtype=bool))
        assert whole.nnz > found.nnz

    @pytest.mark.parametrize(
        "items",
        [[], [cf.ItemContent("")], [cf.ItemContent("?!"), cf.ItemContent("。")]],
        ids=["none", "no text", "signs only"],
    )
    def test_finds_nothing_where_nothing_is_written(self, items: list[cf.ItemContent]) -> None:
        assert cf.content_neighbours(items).shape == (len(items), len(items))


def model(**catalogue: cf.ItemContent) -> cf.TrainedModel:
    events = [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "a"), (3, "c")]
    users, items = zip(*events, strict=True)
    data = cf.build_interactions(users, items, times_s=np.arange(len(events)))
    return cf.train(data, cf.TrainingConfig(evaluate=False), catalogue=catalogue)


MADE = {
    "a": cf.ItemContent("Excel basics", ("office",), "en"),
    "b": cf.ItemContent("Soup", ("kitchen",), "en"),
    "c": cf.ItemContent("Bread", ("kitchen",), "zh"),
    "new": cf.ItemContent("Excel charts", ("office",), "en"),
}


class TestLists:
    def test_recommend_a_new_item_by_its_content_and_say_so(self) -> None:
        found = {s.item_id: s for s in model(**MADE).top_n(["a"], 5, rules=cf.ListRules(content=1))}

        assert found["new"].reasons[0].by_content
        assert found["new"].reasons[0].item_id == "a"
        assert not found["b"].reasons[0].by_content

    def test_shares_still_add_up_to_one(self) -> None:
        rules = cf.ListRules(content=0.7, penalty=0.3, languages=("en",))
        made = model(**MADE)

        for each in made.top_n(["a", "b"], 5, n_reasons=9, rules=rules):
            if each.reasons:
                assert sum(why.share for why in each.reasons) == pytest.approx(1)
                assert tuple(made.explain(["a", "b"], each.item_id, rules=rules)) == each.reasons

    def test_put_other_languages_last(self) -> None:
        made = model(**MADE)

        plain = [s.item_id for s in made.popular(4)]
        english = [s.item_id for s in made.popular(4, rules=cf.ListRules(languages=("en",)))]

        assert plain.index("c") < 3
        assert english[-1] == "c"

    def test_a_penalty_holds_popular_items_down(self) -> None:
        users = [1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9]
        items = ["a", "b", "a", "b", "a", "c", "b", "b", "b", "b", "b", "b"]
        data = cf.build_interactions(users, items, times_s=np.arange(12))
        made = cf.train(data, cf.TrainingConfig(evaluate=False))

        assert made.top_n(["a"], 1)[0].item_id == "b"
        assert made.top_n(["a"], 1, rules=cf.ListRules(penalty=1))[0].item_id == "c"


class TestDiversified:
    def test_takes_the_unlike_one_before_a_twin(self) -> None:
        from scipy import sparse

        scores = np.array([1.0, 0.9, 0.8], dtype=np.float32)
        alike = sparse.csr_matrix(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=np.float32))
        candidates = np.array([0, 1, 2])

        varied = diversified(candidates, scores, alike=alike, n=3, diversity=0.5)
        plain = diversified(candidates, scores, alike=alike, n=3, diversity=0)

        assert varied.tolist() == [0, 2, 1]
        assert plain.tolist() == [0, 1, 2]


class TestLanguageFactor:
    def test_lets_items_of_no_language_be_first_too(self) -> None:
        factor = language_factor(np.array(["en", "", "zh"]), cf.ListRules(languages=("en",)))

        assert (factor == 1).tolist() == [True, True, False]
