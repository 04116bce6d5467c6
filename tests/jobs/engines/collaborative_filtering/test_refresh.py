"""A refreshed run is the one that a full training would make, as far as it was made again."""

from dataclasses import replace

import numpy as np
import pytest

from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering import ease
from jobs.engines.collaborative_filtering.mixtures import MIXTURES, NAMED, Mixture
from jobs.engines.collaborative_filtering.refresh import touched_items
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions

PLAIN = cf.TrainingConfig(evaluate=False, user=None)


def halves() -> tuple[cf.Interactions, cf.Interactions]:
    """Interactions without the newest fifth, and all of them."""
    everything = random_interactions()
    late = everything.times > np.quantile(everything.times, 0.8)
    early = everything.only(~late)
    users = early.user_ids[early.users]
    items = early.item_ids[early.items]
    return cf.build_interactions(users, items, times_s=early.times), everything


def dense(near: cf.Neighbours, n: int) -> np.ndarray:
    rows = np.repeat(np.arange(n), np.diff(near.indptr))
    table = np.zeros((n, n), dtype=np.float32)
    table[rows, near.indices] = near.data
    return table


class TestRefresh:
    @pytest.mark.parametrize(
        "mixture",
        [
            *(NAMED[name][0] for name in ("blend", "window", "item-item", "rp3beta", "ease")),
            Mixture(terms=1.0),
            Mixture(window=0.5, together=0.2, linear=0.3),
        ],
    )
    def test_of_all_rows_equals_a_full_training(self, mixture: Mixture) -> None:
        early, everything = halves()
        config = cf.TrainingConfig(evaluate=False, user=None, mixtures=(mixture,))
        old, full = cf.train(early, config), cf.train(everything, config)
        # The same choice for both: what is compared is the refresh, not the search.
        old = replace(old, choice=full.choice)
        everyone = everything.item_ids.tolist()

        new = cf.refresh(old, everything, touched=everyone, config=config).model

        n = everything.n_items
        np.testing.assert_allclose(dense(new.neighbours, n), dense(full.neighbours, n), rtol=1e-5)
        np.testing.assert_array_equal(new.both, full.both)
        np.testing.assert_array_equal(new.item_counts, full.item_counts)
        np.testing.assert_allclose(new.recent_counts, full.recent_counts)
        np.testing.assert_allclose(new.trend, full.trend)

    def test_keeps_rows_that_were_not_touched(self) -> None:
        early, everything = halves()
        old = cf.train(early, PLAIN)
        one = everything.item_ids[:1].tolist()

        done = cf.refresh(old, everything, touched=one, config=PLAIN)

        n = everything.n_items
        places = np.searchsorted(everything.item_ids, old.item_ids)
        before, after = dense(old.neighbours, len(old.item_ids)), dense(done.model.neighbours, n)
        assert done.n_rows == 1
        np.testing.assert_array_equal(after[places][:, places][1:], before[1:])

    def test_makes_every_touched_row_again_whatever_the_search_may_choose(self) -> None:
        early, everything = halves()
        touched = touched_items(early, everything).tolist()
        for mixture in MIXTURES:
            config = cf.TrainingConfig(evaluate=False, user=None, mixtures=(mixture,))

            done = cf.refresh(cf.train(early, config), everything, touched=touched, config=config)

            assert done.n_rows == len(touched)

    def test_fills_the_rows_of_new_items_where_a_linear_model_has_become_too_large(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        early, everything = halves()
        config = cf.TrainingConfig(evaluate=False, user=None, mixtures=NAMED["ease"])
        old = cf.train(early, config)
        empty = old.item_ids[np.diff(old.neighbours.indptr) == 0].tolist()
        monkeypatch.setattr(ease, "MOST_ITEMS", everything.n_items - 1)

        touched = touched_items(early, everything).tolist()
        done = cf.refresh(old, everything, touched=touched, config=config)

        new = set(everything.item_ids.tolist()) - set(old.item_ids.tolist())
        assert done.n_rows == len((new | set(empty)) & set(touched))
        assert done.model.n_pairs == everything.n_pairs

    def test_of_nothing_changes_nothing(self) -> None:
        data = random_interactions()
        old = cf.train(data, PLAIN)

        done = cf.refresh(old, data, touched=[], config=PLAIN)

        assert (done.n_rows, done.n_new_items) == (0, 0)
        np.testing.assert_array_equal(done.model.neighbours.data, old.neighbours.data)


class TestTouchedItems:
    def test_are_those_of_new_pairs_and_what_came_just_before(self) -> None:
        before = cf.build_interactions([1, 1, 2], [10, 11, 12], times_s=[1, 2, 3])
        after = cf.build_interactions([1, 1, 2, 1], [10, 11, 12, 13], times_s=[1, 2, 3, 4])

        assert touched_items(before, after).tolist() == [10, 11, 13]
        assert touched_items(before, after, context=1).tolist() == [11, 13]
        assert touched_items(before, before).tolist() == []

    def test_are_those_of_pairs_that_are_gone_too(self) -> None:
        before = cf.build_interactions([1, 1, 2], [10, 11, 12], times_s=[1, 2, 3])
        after = cf.build_interactions([1, 2], [10, 12], times_s=[1, 3])
        nobody = cf.build_interactions([], [], times_s=[])

        assert touched_items(before, after).tolist() == [10, 11]
        assert touched_items(before, nobody).tolist() == [10, 11, 12]
