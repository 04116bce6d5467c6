import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from dashboard.catalogue import services
from dashboard.core.database import db
from tests.factories.catalogue import make_item


class TestHome:
    def test_shows_published_courses_and_positions(self, client: FlaskClient) -> None:
        make_item(title="Sampling basics")
        make_item("position", title="Data analyst")
        make_item(title="Unfinished", status="draft")

        text = client.get("/").text

        assert "Sampling basics" in text and "Data analyst" in text
        assert "Unfinished" not in text

    def test_puts_the_visitors_language_first(self, client: FlaskClient) -> None:
        make_item(title="数据入门", language="zh")
        make_item(title="统计入门", language="zh")
        for number in range(9):
            make_item(title=f"English {number}")

        text = client.get("/", headers={"Accept-Language": "zh-CN"}).text

        shown = [text.find(title) for title in ("统计入门", "数据入门", "English 8", "English 3")]
        assert -1 not in shown and shown == sorted(shown)
        assert "English 2" not in text, "eight of a kind"


class TestSpeed:
    def test_lists_are_read_in_the_order_of_an_index(
        self, client: FlaskClient, as_admin: FlaskClient
    ) -> None:
        statements: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        client.get("/")
        client.get("/courses")
        client.get("/courses?page=2")
        as_admin.get("/admin/courses/")

        lists = [text for text in statements if "FROM item" in text and "ORDER BY item." in text]
        assert len(lists) >= 5
        for text in lists:
            assert "TEMP B-TREE" not in plan_of(text)


def plan_of(statement: str) -> str:
    """How SQLite would run it."""
    values = ("course",) * statement.count("?")
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    return "\n".join(str(row[-1]) for row in rows)


class TestLists:
    def test_finds_by_title_summary_and_tag(self, client: FlaskClient) -> None:
        make_item(title="Spreadsheets", tags=["Excel"])
        make_item(title="Statistics", summary="With a spreadsheet")
        make_item(title="Poetry")

        by_word = client.get("/courses?q=SPREADSHEET").text
        by_tag_word = client.get("/courses?q=excel").text
        by_tag = client.get("/courses?tag=excel").text

        assert "Spreadsheets" in by_word and "Statistics" in by_word and "Poetry" not in by_word
        assert "Spreadsheets" in by_tag_word and "Statistics" not in by_tag_word
        assert "Spreadsheets" in by_tag and "Statistics" not in by_tag

    @pytest.mark.parametrize("query", ["%", "_", "100%", "\\", "'"])
    def test_takes_wildcards_literally(self, client: FlaskClient, query: str) -> None:
        make_item(title="Anything")

        answer = client.get("/courses", query_string={"q": query})

        assert answer.status_code == 200
        assert "Anything" not in answer.text

    def test_filters_by_language_and_level(self, client: FlaskClient) -> None:
        make_item(title="Leicht", level="beginner")
        make_item(title="Schwer", level="advanced", language="zh")

        assert "Schwer" not in client.get("/courses?level=beginner").text
        assert "Leicht" not in client.get("/courses?language=zh").text

    def test_pages(self, client: FlaskClient) -> None:
        for number in range(13):
            make_item(title=f"Course number {number:02}")

        second = client.get("/courses?sort=title&page=2").text

        assert "Course number 12" in second
        assert "Course number 11" not in second

    @pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999"])
    def test_answers_an_odd_page_number(self, client: FlaskClient, page: str) -> None:
        assert client.get(f"/courses?page={page}").status_code == 200


class TestIntroductionPage:
    def test_shows_title_content_and_tags(self, client: FlaskClient) -> None:
        item = make_item(title="Bees", content="# Why\n\n*Because*", tags=["Nature"])

        text = client.get(f"/courses/{item.id}").text

        assert "Bees" in text and "<h2>Why</h2>" in text and "<em>Because</em>" in text
        assert "Nature" in text

    def test_shows_what_leads_where(self, client: FlaskClient) -> None:
        course, position = make_item(title="Counting"), make_item("position", title="Counter")
        services.link_courses(position.id, actor_id=None, course_ids=[course.id])

        assert "Counting" in client.get(f"/positions/{position.id}").text
        assert "Counter" in client.get(f"/courses/{course.id}").text

    @pytest.mark.parametrize("path", ["0", "-1", "999", str(2**31), str(2**63), "x"])
    def test_knows_no_other_address(self, client: FlaskClient, path: str) -> None:
        assert client.get(f"/courses/{path}").status_code == 404

    def test_is_not_at_the_other_kinds_address(self, client: FlaskClient) -> None:
        assert client.get(f"/positions/{make_item().id}").status_code == 404

    def test_shows_a_draft_to_administrators_only(
        self, client: FlaskClient, as_learner: FlaskClient, as_admin: FlaskClient
    ) -> None:
        draft = make_item(status="draft")

        codes = [
            who.get(f"/courses/{draft.id}").status_code for who in (client, as_learner, as_admin)
        ]

        assert codes == [404, 404, 200]
        assert "only administrators see it" in as_admin.get(f"/courses/{draft.id}").text

    def test_keeps_markup_of_authors_inert(self, client: FlaskClient, app: Flask) -> None:
        attack = "<img src=x onerror=alert(1)> {{7*7}} [x](javascript:alert(1)) </script>"
        item = make_item(title=attack[:200], summary=attack, content=attack, tags=["<b>x</b>"])

        for address in (f"/courses/{item.id}", "/courses", "/"):
            text = client.get(address).text
            assert "<img src=x" not in text and 'href="javascript:' not in text
            assert "49" not in text.replace("{{7*7}}", "").split("<main")[1].split("</main>")[0]
