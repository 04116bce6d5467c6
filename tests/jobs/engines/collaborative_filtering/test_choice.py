"""What a model is chosen on: folds that no test looks at."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering import choice as module
from jobs.engines.collaborative_filtering.mixtures import (
    DEFAULT,
    DEMANDS,
    MIXTURES,
    TABLES,
    Choice,
)
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


class TestChooseServed:
    def test_takes_the_first_of_few_people(self) -> None:
        data = cf.build_interactions([1, 1, 2], [1, 2, 1], times_s=[1, 2, 3])

        assert cf.choose_served(data).mixture == DEFAULT

    def test_does_not_look_at_the_last_item_of_anybody(self) -> None:
        data = random_interactions(n_users=80, n_items=40)
        last = data.indptr[cf.leave_last_out(data).users + 1] - 1
        items = data.items.copy()
        for place in last.tolist():
            own = set(data.history(int(data.users[place])).tolist())
            items[place] = next(item for item in range(data.n_items) if item not in own)
        changed = replace(data, items=items)

        assert not np.array_equal(changed.items, data.items)
        assert cf.choose_served(changed) == cf.choose_served(data)


class TestChoose:
    """Worlds in which it is known what does best."""

    def test_takes_what_people_go_on_to_where_they_follow_an_order(self) -> None:
        data = _world(lambda start, step: (start + step) % 40)

        found = cf.choose(data, split="leave-last-out")

        assert found.mixture.window

    def test_takes_what_the_same_people_met_where_order_says_nothing(self) -> None:
        random = np.random.default_rng(1)
        data = _world(lambda start, step: start % 8 * 15 + int(random.integers(15)), n_steps=8)
        split = cf.leave_last_out(data)

        found = cf.choose(split.train, split=split.name)

        figures = {
            mixture: module.judge(
                _lists(Choice(mixture, found.demand, 0.0), split), hidden=split.hidden
            ).ndcg.mean()
            for mixture in (DEFAULT, found.mixture)
        }
        # The window over most of a history knows nearly as much as whole histories.
        assert not found.mixture.window or figures[found.mixture] > 0.98 * figures[DEFAULT]
        assert found.mixture.recency == 0

    def test_ranks_a_mixture_under_the_demand_that_suits_it(self) -> None:
        """Popular items of one's own kind: where demand counts much, everybody gets the same."""
        random = np.random.default_rng(2)
        kinds = 12
        data = _world(
            lambda start, step: start % kinds * 20 + int(20 * random.random() ** 3),
            n_users=600,
            n_steps=7,
        )
        split = cf.by_time(data)

        found = cf.choose(split.train, split=split.name)

        ours = module.judge(_lists(found, split), hidden=split.hidden).ndcg.mean()
        recent = cf.RecentPopularity()
        recent.fit(split.train.user_items, times=split.train.times)
        histories = split.train.user_items[split.users]
        popular = module.judge(recent.recommend(split.users, histories)[0], hidden=split.hidden)
        assert ours > 3 * popular.ndcg.mean()

    @pytest.mark.parametrize("split", ["leave-last-out", "by-time"])
    def test_judges_some_of_very_many_users_the_same_every_time(
        self, monkeypatch: pytest.MonkeyPatch, split: str
    ) -> None:
        monkeypatch.setattr(module, "MOST_JUDGED", 30)
        monkeypatch.setattr(module, "MOST_PAIRS", 500)
        data = random_interactions(n_users=120, n_items=40)

        assert cf.choose(data, split=split) == cf.choose(data, split=split)

    def test_of_nobody_to_judge_takes_the_first(self) -> None:
        data = cf.build_interactions([1, 2], [1, 2], times_s=[1, 2])

        assert cf.choose(data, split="leave-last-out").mixture == DEFAULT


class TestMixture:
    @pytest.mark.parametrize("mixture", TABLES)
    def test_counts_people_whatever_events_weigh(self, mixture: cf.Mixture) -> None:
        weighed = random_interactions()
        alike = replace(weighed, weights=np.ones_like(weighed.weights))
        tables = []
        for data in (weighed, alike):
            model = mixture.model()
            model.fit(data.user_items, times=data.times)
            tables.append(model.similarity.toarray())

        assert np.unique(weighed.weights).size > 1
        np.testing.assert_array_equal(*tables)


class TestChoice:
    @pytest.mark.parametrize("mixture", [*TABLES, MIXTURES[-1]])
    def test_comes_back_from_its_parameters(self, mixture: cf.Mixture) -> None:
        found = Choice(mixture, DEMANDS[-1], 0.1234)

        assert Choice.from_parameters(found.parameters()) == found

    def test_of_the_first_version_had_no_recency_where_it_was_0(self) -> None:
        stored = Choice(cf.Mixture(walk=1.0, recency=0.0), DEMANDS[1], 0.1).parameters()
        del stored["recency"]

        assert Choice.from_parameters(stored).mixture == cf.Mixture(walk=1.0, recency=0.0)


def _world(
    item: Callable[[int, int], int], *, n_users: int = 300, n_steps: int = 6
) -> cf.Interactions:
    """Each user begins somewhere and takes a step a day; they come one after the other."""
    random = np.random.default_rng(0)
    starts = random.integers(0, 10_000, n_users)
    events = [
        (user, item(int(start), step), user + step)
        for user, start in enumerate(starts)
        for step in range(n_steps)
    ]
    users, items, days = np.array(events).T
    return cf.build_interactions(users, items, times_s=days * 86_400.0, keep=cf.Keep.FIRST)


def _lists(choice: Choice, split: cf.Split) -> np.ndarray:
    model = choice.model()
    model.fit(split.train.user_items, times=split.train.times)
    histories = split.train.user_items[split.users]
    return model.recommend(split.users, histories, idle_days=split.idle_days)[0]
