import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask import Flask

from dashboard.accounts.models import User
from dashboard.activity.models import Event, Rating
from dashboard.catalogue.models import Item
from dashboard.core.database import db
from dashboard.core.errors import Invalid
from dashboard.job_queue.models import Job
from seeds import ratings
from tests.factories.shared_data import shared_data

VIEWS = "user_id,item_id,created_at\n1,10,2020-01-01 10:00:00\n1,10,2020-01-01 10:00:00\n2,11,2020-01-02 10:00:00\n"
RATINGS = (
    "user_id,item_id,rating,watch_percentage,created_at\n"
    "1,10,3,50,2020-01-03 10:00:00\n1,10,10,100,2020-01-04 10:00:00\n"
)
ITEMS = (
    "item_id,name,description,language,difficulty,job,software,theme,duration_s,type\n"
    "10,Sheets,About <b>sheets</b>,en,Beginner,[],['Excel'],['Produce'],42.0,tutorial\n"
)
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("user_id", "item_id", "created_at")),
        *((name, pa.int64()) for name in ("rating", "watch_percentage")),
    ]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Source One"
    folder.mkdir()
    for name, text in (("views", VIEWS), ("ratings", RATINGS), ("items", ITEMS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """The rows as the file's name wants them."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def counts() -> list[int]:
    return [db.session.query(model).count() for model in (User, Item, Event, Rating)]


class TestLoad:
    @pytest.mark.usefixtures("each_database")
    def test_stores_people_items_and_events(
        self, folder: Path, request: pytest.FixtureRequest
    ) -> None:
        request.getfixturevalue("app")

        text = ratings.load(
            [folder / "views.csv", folder / "ratings.csv"], items=folder / "items.csv"
        )

        assert counts() == [2, 2, 7, 1]
        assert "2 rating, 3 view, 2 watch" in text
        item = db.session.query(Item).filter_by(external_id="sourceone:10").one()
        assert (item.title, item.level, item.duration_s) == ("Sheets", "beginner", 42)
        assert item.tag_names == ["Excel", "Produce"]
        assert db.session.query(Rating).one().stars == 5, "the newest of two, halved from ten"

    def test_keeps_the_times_of_the_files(self, app: Flask, folder: Path) -> None:
        ratings.load([folder / "views.csv"])

        times = sorted(str(event.created_at) for event in db.session.query(Event))

        assert times[0] == "2020-01-01 10:00:00"

    def test_reads_seconds_and_milliseconds_too(self, app: Flask, folder: Path) -> None:
        lines = "1,10,1577872800\n2,11,1577872800000\n"
        (folder / "views.csv").write_text(f"user_id,item_id,timestamp\n{lines}", encoding="utf-8")

        ratings.load([folder / "views.csv"])

        times = {str(event.created_at) for event in db.session.query(Event)}
        assert times == {"2020-01-01 10:00:00"}

    @pytest.mark.usefixtures("each_database")
    def test_adds_nothing_the_second_time(
        self, folder: Path, request: pytest.FixtureRequest
    ) -> None:
        request.getfixturevalue("app")
        files = [folder / "views.csv", folder / "ratings.csv"]
        ratings.load(files, items=folder / "items.csv")
        before = counts()

        text = ratings.load(files, items=folder / "items.csv")

        assert counts() == before
        assert "7 events were there already" in text

    def test_makes_people_nobody_can_sign_in_as(self, app: Flask, folder: Path) -> None:
        ratings.load([folder / "views.csv"])

        users = db.session.query(User).all()

        assert {user.user_name for user in users} == {"sourceone-1", "sourceone-2"}
        assert not any(user.active for user in users)
        assert [role.name for role in users[0].roles] == ["learner"]

    def test_hides_ids_that_say_who_somebody_is(self, app: Flask, folder: Path) -> None:
        (folder / "views.csv").write_text(
            "user_id,item_id,created_at\nmary@example.org,10,2020-01-01\n", encoding="utf-8"
        )

        ratings.load([folder / "views.csv"])

        name = str(db.session.query(User).one().user_name)
        assert "mary" not in name and name.startswith("sourceone-")

    def test_asks_for_new_recommendations(self, app: Flask, folder: Path) -> None:
        ratings.load([folder / "views.csv"])

        assert [job.kind for job in db.session.query(Job)] == ["recommendations.train"]

    def test_names_every_broken_line_and_stores_nothing(self, app: Flask, folder: Path) -> None:
        broken = VIEWS + "3,12,yesterday\n,13,2020-01-01\n"
        (folder / "views.csv").write_text(broken, encoding="utf-8")

        with pytest.raises(Invalid) as caught:
            ratings.load([folder / "ratings.csv", folder / "views.csv"], items=folder / "items.csv")

        places = [problem.field for problem in caught.value.problems]
        assert places == ["views.csv, line 5", "views.csv, line 6"]
        assert "yesterday" in caught.value.problems[0].message
        assert counts() == [0, 0, 0, 0]

    @pytest.mark.parametrize("name", ["more.json", "more.jsonl", "more.parquet"])
    def test_reads_other_files_beside_csv(self, app: Flask, folder: Path, name: str) -> None:
        rows = [
            {"user_id": "1", "item_id": "10", "created_at": "2020-01-01 10:00:00"},
            {
                "user_id": "3",
                "item_id": "a/b",
                "created_at": "2020-01-05T11:00:00+01:00",
                "rating": 4,
            },
        ]
        write(folder / name, rows)

        text = ratings.load([folder / "views.csv", folder / name])

        assert "new events: 1 rating, 4 view" in text
        names = {user.user_name for user in db.session.query(User)}
        assert names == {"sourceone-1", "sourceone-2", "sourceone-3"}
        assert str(db.session.query(Rating).one().updated_at) == "2020-01-05 10:00:00"

    def test_reads_times_and_numbers_as_parquet_has_them(self, app: Flask, folder: Path) -> None:
        noon = datetime(2020, 1, 1, 12, tzinfo=UTC)
        columns = {
            "user_id": pa.array([1.0, 2.0]),
            "item_id": pa.array([10, None], pa.int64()).fill_null(11),
            "timestamp": pa.array([noon, noon], pa.timestamp("ns", tz="UTC")),
            "rating": pa.array([None, 5.0]),
            "comment": pa.array([b"x", b"y"]),
        }
        pq.write_table(pa.table(columns), folder / "a.parquet")

        ratings.load([folder / "a.parquet"])

        kinds = {(event.kind, str(event.created_at)) for event in db.session.query(Event)}
        assert kinds == {("view", "2020-01-01 12:00:00"), ("rating", "2020-01-01 12:00:00")}
        assert {user.user_name for user in db.session.query(User)} == {"sourceone-1", "sourceone-2"}

    @pytest.mark.parametrize("name", ["bad.json", "bad.jsonl", "bad.parquet"])
    def test_checks_them_like_csv(self, app: Flask, folder: Path, name: str) -> None:
        good = {"user_id": "1", "item_id": "1", "created_at": "2020-01-01"}
        rows = [
            {**good, "rating": 11},
            good,
            {**good, "user_id": ""},
            {**good, "created_at": "soon"},
            {**good, "created_at": None},
            {**good, "watch_percentage": 101},
        ]
        write(folder / name, rows)
        (folder / "bad.csv").write_text("user_id,item_id,created_at\n1,,2020-01-01\n")

        with pytest.raises(Invalid) as caught:
            ratings.load([folder / name, folder / "bad.csv"])

        said = [(problem.field, problem.message) for problem in caught.value.problems]
        assert said == [
            (f"{name}, line 1", "rating is 11, expected a number from 0 to 10"),
            (f"{name}, line 3", "user_id is empty"),
            (
                f"{name}, line 4",
                'created_at is "soon", expected a time such as 2018-09-28 14:38:15 or seconds since 1970',
            ),
            (f"{name}, line 5", "timestamp or created_at is missing"),
            (f"{name}, line 6", "watch_percentage is 101, expected a number from 0 to 100"),
            ("bad.csv, line 2", "item_id is empty"),
        ]
        assert counts() == [0, 0, 0, 0]

    @pytest.mark.parametrize(
        ("line", "fault"),
        [
            (b"[1]", "no object"),
            (b'{"user_id": [1], "item_id": true, "timestamp": 1}', "expected a text"),
            (b"\xff", "cannot be read as json"),
        ],
    )
    def test_names_what_is_no_such_line(
        self, app: Flask, folder: Path, line: bytes, fault: str
    ) -> None:
        good = b'{"user_id": 1, "item_id": 2, "timestamp": 3}\n'
        (folder / "a.jsonl").write_bytes(good + line)

        with pytest.raises(Invalid) as caught:
            ratings.load([folder / "a.jsonl"])

        problems = caught.value.problems
        assert {problem.field for problem in problems} <= {"a.jsonl, line 1", "a.jsonl, line 2"}
        assert all(fault in problem.message for problem in problems)

    @pytest.mark.parametrize(
        ("name", "fault"),
        [("torn.json", "is no JSON list"), ("torn.parquet", "cannot be read as parquet")],
    )
    def test_says_where_a_file_breaks_off(
        self, app: Flask, folder: Path, name: str, fault: str
    ) -> None:
        (folder / name).write_bytes(b'[{"user_id": 1, "item_id": 2, "timestamp": 3}, {')

        with pytest.raises(Invalid) as caught:
            ratings.load([folder / name])

        (problem,) = caught.value.problems
        assert fault in problem.message

    @pytest.mark.usefixtures("each_database")
    def test_a_dry_run_says_what_would_be_stored_and_stores_nothing(
        self, folder: Path, request: pytest.FixtureRequest
    ) -> None:
        request.getfixturevalue("app")
        ratings.load([folder / "views.csv"])
        before = counts()
        files, items = [folder / "views.csv", folder / "ratings.csv"], folder / "items.csv"
        with (folder / "views.csv").open("a") as file:
            file.write("3,12,2020-01-01\n3,12,2020-01-01\n")

        foretold = ratings.load(files, items=items, dry_run=True)
        untouched = counts()
        done = ratings.load(files, items=items)

        assert untouched == before
        assert foretold == done.replace("loaded", "dry run, nothing is stored; would load", 1)
        assert "1 new items, 1 new users\nnew events: 2 rating, 2 view, 2 watch" in done

    def test_a_dry_run_names_every_broken_line(self, app: Flask, folder: Path) -> None:
        (folder / "views.csv").write_text(f"{VIEWS}3,12,yesterday\n", encoding="utf-8")

        with pytest.raises(Invalid) as caught:
            ratings.load([folder / "views.csv"], dry_run=True)

        assert [problem.field for problem in caught.value.problems] == ["views.csv, line 5"]

    def test_says_which_file_is_not_there(self, app: Flask, tmp_path: Path) -> None:
        for name in ("nowhere.csv", "nowhere.json", "nowhere.parquet"):
            with pytest.raises(Invalid, match=f"{name}: No such file"):
                ratings.load([tmp_path / name])

    def test_loads_the_real_data(self, app: Flask) -> None:
        mars = shared_data("ratings/mars")

        text = ratings.load([mars / "views.csv", mars / "ratings.csv"], items=mars / "items.csv")

        assert "1,167 new items, 3,007 new users" in text
        assert "3,659 rating, 21,908 view" in text
