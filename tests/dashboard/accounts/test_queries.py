from collections.abc import Callable

import pytest

from dashboard.accounts import queries
from dashboard.accounts.models import User

pytestmark = pytest.mark.usefixtures("app")
on_each_database = pytest.mark.usefixtures("each_database")
MakeUser = Callable[..., User]


class TestListUsers:
    def test_pages_newest_first(self, make_user: MakeUser) -> None:
        users = [make_user() for _ in range(3)]

        page = queries.list_users(page=1, per_page=2)

        assert [user.id for user in page.items] == [users[2].id, users[1].id]
        assert page.total == 3

    @pytest.mark.parametrize("search", ["ANA", "138", "Lu%", "ana@"])
    @on_each_database
    def test_searches_names_address_and_phone(self, make_user: MakeUser, search: str) -> None:
        make_user(nickname="noise")
        user = make_user(
            user_name="hanah", nickname="Lu%cy", email="ana@example.org", phone="+8613812345678"
        )

        assert [found.id for found in queries.list_users(search=search).items] == [user.id]

    @on_each_database
    def test_takes_wildcards_literally(self, make_user: MakeUser) -> None:
        make_user()

        assert queries.list_users(search="%").items == []

    @on_each_database
    def test_filters_by_role(self, make_user: MakeUser) -> None:
        make_user()
        user = make_user("analyst")

        assert [found.id for found in queries.list_users(role="analyst").items] == [user.id]


class TestFindByIdentity:
    def test_is_none_for_a_stranger(self, make_user: MakeUser) -> None:
        make_user()

        assert queries.find_by_identity("13812345678") is None
