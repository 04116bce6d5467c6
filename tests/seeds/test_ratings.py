from pathlib import Path

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Source One"
    folder.mkdir()
    for name, text in (("views", VIEWS), ("ratings", RATINGS), ("items", ITEMS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


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

    def test_says_which_file_is_not_there(self, app: Flask, tmp_path: Path) -> None:
        with pytest.raises(Invalid, match=r"nowhere\.csv"):
            ratings.load([tmp_path / "nowhere.csv"])

    def test_loads_the_real_data(self, app: Flask) -> None:
        mars = shared_data("ratings/mars")

        text = ratings.load([mars / "views.csv", mars / "ratings.csv"], items=mars / "items.csv")

        assert "1,167 new items, 3,007 new users" in text
        assert "3,659 rating, 21,908 view" in text
