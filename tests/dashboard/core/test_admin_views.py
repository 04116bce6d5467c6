"""What every view of the dashboard has: columns by name, roles, tokens, the policy, languages."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from dashboard import surfaces
from dashboard.accounts.models import Role, RoleName, User
from dashboard.core import admin
from dashboard.core.access import roles
from dashboard.core.admin import AtriumModelView
from dashboard.core.admin.views import MissingColumns
from dashboard.core.database import session
from tests.factories.dashboard import Desk, rows_of

VIEWS = [view for view in surfaces.ADMIN_VIEWS if issubclass(view, AtriumModelView)]
LISTS = ["/", *(f"/{view.slug}/" for view in VIEWS)]
FORMS = [f"/{view.slug}/new/" for view in VIEWS if view.can_create]
EXPORTS = [f"/{view.slug}/export/{kind}/" for view in VIEWS for kind in view.export_types]
PAGES = [*LISTS, *FORMS, *EXPORTS]
# Columns that hold a secret, or the means to forge one.
SECRETS = ("password", "fs_uniquifier", "fs_token_uniquifier", "token")


class TestColumns:
    def test_must_be_named(self) -> None:
        class Careless(AtriumModelView):
            model = Role
            slug, label = "careless", "Careless"
            column_list = ("name",)

        with pytest.raises(MissingColumns, match="column_details_list, column_export_list"):
            Careless()

    def test_of_a_form_must_be_named(self) -> None:
        class Careless(AtriumModelView):
            model = Role
            slug, label = "careless", "Careless"
            column_list = column_details_list = column_export_list = ("name",)
            can_edit = True

        with pytest.raises(MissingColumns, match="edit_fields"):
            Careless()

    @pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.slug)
    def test_hold_no_secret(self, view: type[AtriumModelView]) -> None:
        shown = {*view.column_list, *view.column_details_list, *view.column_export_list}

        assert not shown & set(SECRETS)


class TestEndpoints:
    def test_are_all_in_the_map_and_for_administrators(self, app: Flask) -> None:
        served = {
            rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin")
        }

        assert served == set(admin.endpoints(surfaces.ADMIN_VIEWS))
        assert {surfaces.ACCESS[name] for name in served} == {roles("admin")}


class TestPages:
    def test_open_for_administrators_and_obey_the_policy(self, desk: Desk) -> None:
        policies = [desk.get(path).headers["Content-Security-Policy"] for path in PAGES]

        assert not [policy for policy in policies if "unsafe" in policy]

    @pytest.mark.parametrize("role", [RoleName.LEARNER, RoleName.ANALYST])
    def test_are_closed_to_other_roles(
        self,
        make_user: Callable[..., User],
        sign_in: Callable[[User], FlaskClient],
        role: RoleName,
    ) -> None:
        client = sign_in(make_user(role))

        open_ = [path for path in PAGES if client.get(f"/admin{path}").status_code != 403]

        assert not open_

    def test_lead_visitors_to_the_sign_in_page(self, client: FlaskClient) -> None:
        response = client.get("/admin/users/")

        assert response.status_code == 302
        assert "/login" in response.location

    def test_have_one_heading_and_a_language(self, desk: Desk) -> None:
        texts = {path: desk.get(path).text for path in (*LISTS, *FORMS)}

        assert {path for path, text in texts.items() if text.count("<h1") != 1} == set()
        assert {path for path, text in texts.items() if '<html lang="en"' not in text} == set()

    def test_speak_chinese(self, desk: Desk) -> None:
        text = desk.client.get("/admin/users/", headers={"Accept-Language": "zh-CN"}).text

        assert '<html lang="zh-Hans"' in text

    def test_use_flask_admins_own_chinese(self, desk: Desk, make_user: Callable[..., User]) -> None:
        user = make_user()
        desk.token()

        response = desk.client.post(
            "/admin/users/delete/",
            data={"id": user.id, "confirm": "yes", "csrf_token": desk.token()},
            headers={"Accept-Language": "zh-CN"},
            follow_redirects=True,
        )

        assert "记录" in response.text


class TestWrites:
    def test_need_a_token(self, desk: Desk) -> None:
        pages = [
            f"/{view.slug}/{page}/"
            for view in VIEWS
            for page in ("new", "edit", "delete", "action")
        ]

        taken = [
            page
            for page in pages
            if desk.post_without_token(page, id="1", confirm="yes").status_code != 400
        ]

        assert not taken

    def test_of_unknown_actions_are_refused(self, desk: Desk) -> None:
        assert desk.post("/users/action/", action="drop", rowid="1").status_code == 404

    def test_of_no_row_are_refused_in_words(self, desk: Desk) -> None:
        response = desk.post("/users/action/", action="delete", confirm="yes")

        assert "Select at least one row first." in response.text

    def test_of_rows_that_do_not_exist_are_refused(self, desk: Desk) -> None:
        for id in ("", "0", "-1", "x", "99", str(2**63), "1 OR 1=1", "٣"):
            assert desk.post("/users/delete/", id=id, confirm="yes").status_code == 404
            assert desk.client.get("/admin/users/edit/", query_string={"id": id}).status_code == 302


class TestReturnAddress:
    @pytest.mark.parametrize(
        "url",
        ["//evil.example", "https:evil.example", "/\\evil.example", "\\\\evil.example", "javascript:x()", "j\tavascript:x()", "http://evil.example", "https:///evil.example"],
    )  # fmt: skip
    def test_stays_within_the_portal(
        self, desk: Desk, make_user: Callable[..., User], url: str
    ) -> None:
        form = desk.client.get("/admin/users/new/", query_string={"url": url}).text
        sent = desk.client.post(
            "/admin/users/delete/",
            data={"id": make_user().id, "confirm": "yes", "url": url, "csrf_token": desk.token()},
        )

        assert sent.location == "/admin/users/"
        assert not re.search(r'href="(?!/|#)', form.partition("<main")[2])


class TestLists:
    @pytest.fixture(autouse=True)
    def _people(self, make_user: Callable[..., User]) -> None:
        for nickname in ("100% Wool", "100 Wool", "snake_case", "snakeXcase", "back\\slash"):
            make_user(nickname=nickname)

    @pytest.mark.parametrize(
        ("word", "expected"),
        [("100%", ["100% Wool"]), ("e_c", ["snake_case"]), ("k\\s", ["back\\slash"])],
    )
    def test_search_takes_wildcards_literally(
        self, desk: Desk, word: str, expected: list[str]
    ) -> None:
        response = desk.client.get("/admin/users/", query_string={"search": word})

        found = rows_of(response)
        assert [name for name in expected if any(name in row for row in found)] == expected
        assert len(found) == len(expected)

    def test_search_needs_every_word(self, desk: Desk) -> None:
        assert len(rows_of(desk.get("/users/?search=100+wool"))) == 2
        assert len(rows_of(desk.get("/users/?search=100+zebra"))) == 0

    def test_say_that_nothing_matches(self, desk: Desk) -> None:
        assert "No row matches" in desk.get("/users/?search=zebra").text

    def test_filter_by_what_the_address_says(self, desk: Desk) -> None:
        assert len(rows_of(desk.get("/users/?flt_role=admin"))) == 1

    def test_say_when_a_filter_makes_no_sense(self, desk: Desk) -> None:
        response = desk.get("/users/?flt_role=king&flt_from=yesterday")

        assert "cannot be “king”" in response.text
        assert "cannot be “yesterday”" in response.text

    def test_show_the_newest_first_and_each_row_once(self, desk: Desk) -> None:
        pages = [rows_of(desk.get(f"/users/?page={page}&page_size=50")) for page in (0, 1)]

        assert [len(page) for page in pages] == [6, 0]
        assert len(set(pages[0])) == 6
        assert "back\\slash" in pages[0][1]

    def test_sort_by_indexed_columns_only(self, desk: Desk) -> None:
        ascending = rows_of(desk.get("/users/?sort=1"))
        unknown = rows_of(desk.get("/users/?sort=0"))

        assert ascending == list(reversed(rows_of(desk.get("/users/?sort=1&desc=1"))))
        assert unknown == rows_of(desk.get("/users/"))

    @pytest.mark.parametrize(
        "query",
        ["page=-1", "page=99999999999999999999", "page_size=-5", "sort=99", "sort=x", "_scheme=javascript&_external=1", "_anchor=x", "url=//evil.example"],
    )  # fmt: skip
    def test_withstand_odd_addresses(self, desk: Desk, query: str) -> None:
        text = desk.get(f"/users/?{query}").text

        assert not re.search(r'href="(?!/|#)', text.partition("<main")[2])

    @pytest.mark.parametrize("number", ["9" * 5000, "-1", "\u0661", "2147483648"])
    def test_know_no_row_of_an_odd_number(self, desk: Desk, number: str) -> None:
        answer = desk.client.get(f"/admin/users/details/?id={number}")

        assert answer.status_code == 302, "back to the list, with a message"

    def test_export_what_the_list_shows(self, desk: Desk) -> None:
        text = desk.get("/users/export/csv/?search=100%25&flt_active=yes").text

        assert text.count("\r\n") == 2
        assert "100% Wool" in text

    def test_export_nothing_of_unknown_kinds(self, desk: Desk) -> None:
        assert desk.client.get("/admin/users/export/html/").status_code == 404


class TestOverview:
    def test_tells_how_the_portal_stands(self, desk: Desk) -> None:
        text = desk.get("/").text

        for words in (
            "Users",
            "Courses",
            "Jobs: Failed",
            "not running",
            "SQLite",
            "GiB free",
            "embedded",
        ):
            assert words in text

    def test_leads_to_every_view(self, desk: Desk) -> None:
        text = desk.get("/").text

        missing = [view.slug for view in VIEWS if f'href="/admin/{view.slug}/"' not in text]
        assert not missing

    def test_is_in_the_menu_of_administrators_only(
        self, desk: Desk, as_learner: FlaskClient
    ) -> None:
        assert 'href="/admin/"' in desk.client.get("/").text
        assert 'href="/admin/"' not in as_learner.get("/").text


class TestReading:
    def test_costs_a_fixed_number_of_queries(
        self,
        app: Flask,
        desk: Desk,
        make_user: Callable[..., User],
        count_queries: Callable[..., int],
    ) -> None:
        desk.get("/users/")
        few = count_queries(lambda: desk.get("/users/"))
        for _number in range(20):
            make_user("analyst")

        assert count_queries(lambda: desk.get("/users/")) == few


class TestEachDatabase:
    def test_lists_searches_asks_and_deletes(
        self, each_database: str, desk: Desk, make_user: Callable[..., User]
    ) -> None:
        for nickname in ("100% Wool", "100 Wool", "snake_case", "back\\slash"):
            make_user(nickname=nickname)

        def found(query: str) -> list[str]:
            return [row.split(" user")[0] for row in rows_of(desk.get(f"/users/?{query}"))]

        assert found("search=100%25") == ["100% Wool"]
        assert found("search=E_C&sort=2&desc=1") == ["snake_case"]
        assert found("search=k%5Cs&flt_active=yes&flt_from=2001-01-01") == ["back\\slash"]
        assert len(found("flt_role=learner")) == 5
        user = session.scalars(select(User).where(User.nickname == "100 Wool")).one()
        desk.post("/users/delete/", id=user.id)
        assert len(found("")) == 5
        desk.post("/users/delete/", id=user.id, confirm="yes")
        assert len(found("")) == 4
