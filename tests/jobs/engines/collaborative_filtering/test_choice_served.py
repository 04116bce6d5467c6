"""What a portal serves is chosen on folds that no test looks at."""

from dataclasses import replace

import numpy as np

from jobs.engines import collaborative_filtering as cf
from jobs.engines.collaborative_filtering import choice as module
from jobs.engines.collaborative_filtering.choice import Choice
from tests.jobs.engines.collaborative_filtering.matrices import random_interactions


class TestChooseServed:
    def test_takes_the_first_of_few_people(self) -> None:
        data = cf.build_interactions([1, 1, 2], [1, 2, 1], times_s=[1, 2, 3])

        assert cf.choose_served(data).mixture == module.DEFAULT

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

    def test_comes_back_from_its_parameters(self) -> None:
        found = Choice(module.MIXTURES[2], module.DEMANDS[-1], 0.1234)

        assert Choice.from_parameters(found.parameters()) == found
