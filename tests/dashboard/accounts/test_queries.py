from collections.abc import Callable

import pytest

from dashboard.accounts import queries
from dashboard.accounts.models import User

pytestmark = pytest.mark.usefixtures("app")
on_each_database = pytest.mark.usefixtures("each_database")
MakeUser = Callable[..., User]


class TestFindByIdentity:
    def test_is_none_for_a_stranger(self, make_user: MakeUser) -> None:
        make_user()

        assert queries.find_by_identity("13812345678") is None
