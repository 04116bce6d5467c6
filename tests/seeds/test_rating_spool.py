import math

from jobs.engines.collaborative_filtering import RatingLine
from seeds.rating_spool import Spool


def line(user: str, item: str, time_s: float, rating: float = math.nan) -> RatingLine:
    return RatingLine(user, item, time_s, rating, watched=math.nan)


class TestSpool:
    def test_gives_lines_back_person_by_person_in_their_order(self) -> None:
        given = [line("b", "x", 30), line("a", "y", 20, 7), line("b", "y", 10), line("b", "x", 30)]
        with Spool() as spool:
            spool.add(given)

            lots = list(spool.by_user(1))

            assert [[tuple(each) for each in lot] for lot in lots] == [
                [(0, 0, 30, None, None), (0, 1, 10, None, None), (0, 0, 30, None, None)],
                [(1, 1, 20, 7, None)],
            ]
            assert (spool.users, spool.items) == (["b", "a"], ["x", "y"])
            assert (spool.earliest_s, spool.largest_rating) == (10, 7)

    def test_puts_small_people_into_one_lot(self) -> None:
        with Spool() as spool:
            spool.add(line(str(number % 4), "x", number) for number in range(12))

            assert [len(lot) for lot in spool.by_user(5)] == [6, 6]

    def test_holds_nothing_when_there_is_nothing(self) -> None:
        with Spool() as spool:
            spool.add([])

            assert list(spool.by_user(5)) == []
            assert (spool.earliest_s, spool.largest_rating) == (0, 0)
