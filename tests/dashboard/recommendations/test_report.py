"""The command line prints the same list as the pages."""

from collections.abc import Callable

import pytest

from dashboard.accounts.models import User
from dashboard.catalogue.models import ItemKind
from dashboard.core.database import db
from dashboard.core.errors import NotFound
from dashboard.recommendations import report, services
from dashboard.recommendations.models import TrainingRun
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event


class TestSimilarTo:
    def test_prints_so_many_of_either_kind_best_first(
        self, world: World, train: Callable[[], TrainingRun]
    ) -> None:
        for title in ("Excel", "Macros"):
            world.items[title].kind = ItemKind.POSITION.value
        db.session.commit()
        train()
        scores = [each.score for each in services.related_items(world.items["Word"].id, n=2)]
        assert len(scores) > 2 and scores != sorted(scores, reverse=True)

        lines = [line.split("\t") for line in report.similar_to("Word", n=2).splitlines()]

        assert [line[3] for line in lines] == ["Excel", "Charts"]
        assert [line[2] for line in lines] == [f"{s:.3f}" for s in sorted(scores, reverse=True)[:2]]


class TestForUser:
    @pytest.mark.parametrize("name", ["user_name", "email", "id"])
    def test_prints_the_list_with_reasons(
        self,
        world: World,
        train: Callable[[], TrainingRun],
        make_user: Callable[..., User],
        name: str,
    ) -> None:
        train()
        ada = make_user()
        add_event(ada.id, world.items["Word"].id, minute=900)

        lines = report.for_user(str(getattr(ada, name)), n=3).splitlines()

        assert len(lines) == 3
        assert lines[0].split("\t")[3:] == [
            "Excel",
            "Because you viewed “Word”; 10 of 10 people who did also took this",
        ]

    @pytest.mark.parametrize("name", ["nobody", "99999999", "9" * 40, "no@example.org", "", "-1"])
    def test_says_so_when_there_is_no_such_user(self, world: World, name: str) -> None:
        with pytest.raises(NotFound):
            report.for_user(name, n=3)

    def test_says_so_when_there_is_nothing(self, make_user: Callable[..., User]) -> None:
        assert "nothing to recommend" in report.for_user(str(make_user().id), n=3)
