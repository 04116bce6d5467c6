import numpy as np

from jobs.engines.collaborative_filtering import build_interactions, by_time, leave_last_out
from tests.jobs.engines.collaborative_filtering.matrices import DAY_S, random_interactions

# User 1 has three pairs, two of them at the same time; user 2 has two.
FEW = build_interactions([1, 1, 1, 2, 2], [10, 12, 11, 10, 11], times_s=[1, 5, 5, 2, 3])


class TestLeaveLastOut:
    def test_hides_the_last_pair_and_of_equal_times_the_larger_item(self) -> None:
        split = leave_last_out(FEW)

        assert split.users.tolist() == [0]
        assert split.hidden.toarray().tolist() == [[0, 0, 1]]
        assert split.train.history(0).tolist() == [0, 1]

    def test_hides_no_id_rather_than_another_when_lot_decides(self) -> None:
        users, items = np.divmod(np.arange(600), 3)
        data = build_interactions(users, items, times_s=np.zeros(600))

        hidden = leave_last_out(data.ties_by_lot(0)).hidden

        assert leave_last_out(data).hidden.sum(axis=0).tolist() == [[0, 0, 200]]
        assert hidden.sum(axis=0).min() > 50

    def test_asks_for_the_list_at_once(self) -> None:
        assert leave_last_out(FEW).idle_days.tolist() == [0]

    def test_keeps_users_with_short_histories_for_training(self) -> None:
        assert leave_last_out(FEW).train.history(1).tolist() == [0, 1]

    def test_can_be_repeated_on_the_training_part_for_tuning(self) -> None:
        data = random_interactions()
        tuning = leave_last_out(leave_last_out(data).train)

        for row, user in enumerate(tuning.users):
            assert tuning.hidden[row].indices.tolist() == [data.history(user)[-2]]


class TestByTime:
    def test_hides_the_latest_pairs_of_users_who_were_there_before(self) -> None:
        split = by_time(FEW, train_share=0.6)

        # Kept: times 1, 2 and 3. User 1 goes on afterwards, user 2 does not.
        assert split.users.tolist() == [0]
        assert split.hidden.toarray().tolist() == [[0, 1, 1]]
        assert split.train.n_pairs == 3

    def test_asks_for_the_lists_when_the_training_part_ends(self) -> None:
        days = np.array([1, 9, 4, 6, 8]) * DAY_S
        split = by_time(
            build_interactions([1, 1, 2, 2, 2], [1, 2, 1, 2, 3], times_s=days), train_share=0.8
        )

        # Kept: days 1, 4, 6 and 8. User 1 did nothing after day 1.
        assert split.idle_days.tolist() == [7]

    def test_trains_on_nothing_that_is_later_than_what_it_hides(self) -> None:
        data = random_interactions()
        split = by_time(data)

        cut = split.train.times.max()
        hidden = data.times[~np.isin(data.times, split.train.times)]
        assert (hidden >= cut).all()

    def test_judges_nobody_without_data(self) -> None:
        assert len(by_time(build_interactions([], [], times_s=[])).users) == 0
