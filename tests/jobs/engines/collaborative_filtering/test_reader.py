from pathlib import Path

import numpy as np
import pytest

from jobs.engines.collaborative_filtering import InvalidRatings, read_items, read_ratings
from jobs.engines.collaborative_filtering.event_file import BadEvents, read_events

HEADER = "user_id,item_id,created_at,rating,watch_percentage\n"
GOOD = "7,12,2018-09-28 14:38:15,10,100\n"


def write(folder: Path, text: str | bytes, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


class TestReadRatings:
    def test_reads_every_column(self, tmp_path: Path) -> None:
        path = write(tmp_path, HEADER + GOOD + "8,13,2018-09-28T16:38:15+02:00,,\n")

        ratings = read_ratings(path)

        assert ratings.user_ids.tolist() == [7, 8]
        assert ratings.item_ids.tolist() == [12, 13]
        assert ratings.times_s.tolist() == [1538145495, 1538145495]
        np.testing.assert_array_equal(ratings.ratings, [10, np.nan])
        np.testing.assert_array_equal(ratings.watched, [100, np.nan])

    def test_joins_several_files(self, tmp_path: Path) -> None:
        views = write(tmp_path, "user_id,item_id,created_at\n1,2,2020-01-01\n", "views.csv")

        assert read_ratings(views, write(tmp_path, HEADER + GOOD)).user_ids.tolist() == [1, 7]

    def test_accepts_a_byte_order_mark_and_windows_lines(self, tmp_path: Path) -> None:
        text = ("\ufeff" + HEADER + GOOD + "\n" + GOOD).replace("\n", "\r\n")

        assert len(read_ratings(write(tmp_path, text)).user_ids) == 2

    def test_finds_columns_in_any_order_and_ignores_others(self, tmp_path: Path) -> None:
        text = "note,created_at,item_id,user_id\nx,2020-01-01 00:00:00,5,3\n"

        assert read_ratings(write(tmp_path, text)).item_ids.tolist() == [5]

    @pytest.mark.parametrize(
        ("ids", "expected"),
        [
            (["7", "12"], [7, 12]),
            (["007", "7"], ["007", "7"]),
            (["a", "7"], ["a", "7"]),
            (["9223372036854775808", "7"], ["9223372036854775808", "7"]),
        ],
        ids=["whole numbers", "leading zeros", "text", "too large"],
    )
    def test_keeps_ids_apart(self, tmp_path: Path, ids: list[str], expected: list[object]) -> None:
        lines = [f"{user},1,2020-01-01,,\n" for user in ids]

        assert read_ratings(write(tmp_path, HEADER + "".join(lines))).user_ids.tolist() == expected

    def test_accepts_a_file_with_a_header_alone(self, tmp_path: Path) -> None:
        assert len(read_ratings(write(tmp_path, HEADER)).user_ids) == 0

    @pytest.mark.parametrize(
        ("time", "expected"),
        [
            ("1538145495", 1538145495),
            ("1538145495.5", 1538145495.5),
            ("1538145495123", 1538145495.123),
            ("1538145495123000", 1538145495.123),
            ("1538145495123000000", 1538145495.123),
            ("-86400", -86400),
            ("2018-09-28 14:38:15", 1538145495),
        ],
        ids=["seconds", "parts of a second", "milli", "micro", "nano", "before 1970", "a time"],
    )
    @pytest.mark.parametrize("column", ["timestamp", "created_at"])
    def test_reads_times_of_every_kind(
        self, tmp_path: Path, column: str, time: str, expected: float
    ) -> None:
        path = write(tmp_path, f"user_id,item_id,{column}\n1,2,{time}\n")

        assert read_ratings(path).times_s.tolist() == [expected]
        times = read_events([path]).times_s
        assert times is not None and times.tolist() == [expected]

    def test_takes_the_timestamp_of_a_file_with_both(self, tmp_path: Path) -> None:
        path = write(tmp_path, "user_id,item_id,created_at,timestamp\n1,2,never,20\n")

        assert read_ratings(path).times_s.tolist() == [20]

    @pytest.mark.parametrize("time", ["soon", "nan", "inf", "1_0", "1" + "0" * 21, "-1e11"])
    def test_names_the_line_of_a_number_that_is_no_time(self, tmp_path: Path, time: str) -> None:
        path = write(tmp_path, f"user_id,item_id,timestamp\n1,2,20\n1,3,{time}\n1,4,\n")

        with pytest.raises(InvalidRatings) as caught:
            read_ratings(path)

        first, second = map(str, caught.value.problems)
        assert first.startswith(f'ratings.csv, line 3: timestamp is "{time}", expected a time')
        assert second == "ratings.csv, line 4: timestamp is empty"
        with pytest.raises(BadEvents) as caught_first:
            read_events([path])
        assert str(caught_first.value) == str(first)

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("7,12,2018-09-28 14:38:15,abc,5\n", 'rating is "abc", expected a number'),
            ("7,12,2018-09-28 14:38:15,nan,5\n", 'rating is "nan", expected a number'),
            ("7,12,2018-09-28 14:38:15,1_0,5\n", 'rating is "1_0", expected a number'),
            ("7,12,2018-09-28 14:38:15,11,5\n", "rating is 11, expected a number from 0 to 10"),
            (
                "7,12,2018-09-28 14:38:15,5,-1\n",
                "watch_percentage is -1, expected a number from 0 to 100",
            ),
            (",12,2018-09-28 14:38:15,5,5\n", "user_id is empty"),
            ("7,,2018-09-28 14:38:15,5,5\n", "item_id is empty"),
            ("7,12,,5,5\n", "created_at is empty"),
            (
                "7,12,28.09.2018,5,5\n",
                'created_at is "28.09.2018", expected a time such as 2018-09-28 14:38:15 or seconds '
                "since 1970",
            ),
            ("7,12\n", "has 2 fields, expected 5"),
        ],
    )
    def test_names_a_broken_line(self, tmp_path: Path, line: str, text: str) -> None:
        path = write(tmp_path, HEADER + GOOD + line + GOOD)

        with pytest.raises(InvalidRatings) as caught:
            read_ratings(path)

        assert str(caught.value) == f"ratings.csv, line 3: {text}"

    def test_reports_every_problem_of_every_file(self, tmp_path: Path) -> None:
        one = write(tmp_path, HEADER + "7,12,never,abc,5\n" + GOOD + ",1,2020-01-01,,\n", "one.csv")
        two = write(tmp_path, "user,item\n", "two.csv")

        with pytest.raises(InvalidRatings) as caught:
            read_ratings(one, two)

        found = [(problem.file, problem.line) for problem in caught.value.problems]
        assert found == [("one.csv", 2), ("one.csv", 2), ("one.csv", 4), ("two.csv", 1)]

    def test_counts_lines_inside_quotes(self, tmp_path: Path) -> None:
        text = 'user_id,item_id,created_at,note\n1,2,2020-01-01,"two\nlines"\n1,2,never,x\n'

        with pytest.raises(InvalidRatings, match="line 4: created_at"):
            read_ratings(write(tmp_path, text))

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (
                b"",
                "line 1: is empty, expected the column names user_id, item_id, timestamp or created_at",
            ),
            (b"user_id;item_id;created_at\n1;2;3\n", "columns must be separated by commas"),
            (
                b"user_id,created_at\n",
                "line 1: the column item_id is missing; found: user_id, created_at",
            ),
            (
                b"user_id,user_id,item_id,created_at\n",
                "line 1: names the column user_id more than once",
            ),
            (HEADER.encode() + b"7,\xff\xfe,x,,\n", "line 2: is not UTF-8 text"),
            (HEADER.encode() + b"7,\x00,x,,\n", "line 2: holds a zero byte"),
            (HEADER.encode() + b'7,"12,x,,\n', "line 2: cannot be read as CSV"),
        ],
        ids=["empty", "semicolons", "no column", "twice", "not UTF-8", "zero byte", "open quote"],
    )
    def test_explains_a_file_that_is_no_table(
        self, tmp_path: Path, content: bytes, text: str
    ) -> None:
        with pytest.raises(InvalidRatings) as caught:
            read_ratings(write(tmp_path, content))

        assert text in str(caught.value)

    def test_shows_the_first_problems_of_many(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidRatings) as caught:
            read_ratings(write(tmp_path, HEADER + "7,12,never,,\n" * 30))

        assert len(caught.value.problems) == 30
        assert str(caught.value).endswith("and 10 more problems")


class TestReadItems:
    def test_reads_lists_and_numbers(self, tmp_path: Path) -> None:
        text = "item_id,name,job,software,theme,duration_s\n5,Share,[],\"['Teams', 'Outlook']\",,42.0\n"

        items = read_items(write(tmp_path, text, "items.csv"))

        assert items.item_ids.tolist() == [5]
        assert items.texts[0].name == "Share"
        assert items.texts[0].software == ("Teams", "Outlook")
        assert items.texts[0].themes == ()
        assert items.texts[0].duration_s == 42

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("5,Share,Teams\n", "job is \"Teams\", expected a list such as ['Teams', 'Outlook']"),
            ("5,Share,[1]\n", 'job is "[1]", expected a list'),
            ("5,Share,__import__('os')\n", "expected a list"),
            ("5,,[]\n", "name is empty"),
            ("4,Share,[]\n", "item 4 is already on line 2"),
            ("5,Share," + "[" * 9_000 + "\n", "expected a list"),
        ],
    )
    def test_names_a_broken_line(self, tmp_path: Path, line: str, text: str) -> None:
        path = write(tmp_path, "item_id,name,job\n4,First,[]\n" + line, "items.csv")

        with pytest.raises(InvalidRatings) as caught:
            read_items(path)

        assert str(caught.value).startswith("items.csv, line 3: ")
        assert text in str(caught.value)
