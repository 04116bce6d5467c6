"""New events and new items reach the lists without a training."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import update

from dashboard.accounts.models import User
from dashboard.activity.models import EventKind
from dashboard.catalogue.models import Item, Tag
from dashboard.core.database import db, utcnow
from dashboard.recommendations import queries, services
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.services import artefacts, refreshing
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event, make_item

Train = Callable[[], TrainingRun]


def titles(user_id: int) -> list[str]:
    return [each.item.title for each in services.recommendations_for(user_id, n=20)]


class TestRefreshAll:
    def test_does_nothing_when_nothing_happened(self, world: World, train: Train) -> None:
        run = train()
        db.session.execute(update(Item).values(updated_at=run.started_at.replace(year=2020)))
        db.session.commit()

        assert services.refresh_all() == []
        assert queries.get_run(run.id).artefact == run.artefact

    def test_takes_in_new_events(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        run = train()
        soup = world.items["Soup"].id
        lonely = world.items["Lonely"].id
        for number in range(6):
            reader = make_user()
            add_event(reader.id, soup, minute=2_000 + number)
            add_event(reader.id, lonely, minute=2_010 + number)

        done = services.refresh_all()

        assert [(each.run_id, each.n_events) for each in done] == [(run.id, 12)]
        model = artefacts.find_model(queries.get_run(run.id))
        assert model is not None
        assert lonely in [near.id for near in model.similar_items(soup)]
        assert model.co_counts(lonely, soup) is not None
        ada = make_user()
        add_event(ada.id, soup, minute=3_000)
        assert "Lonely" in titles(ada.id)

    def test_a_new_item_is_recommended_by_its_content(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        add_event(ada.id, world.items["Baking"].id, minute=900)
        item = make_item("Baking for beginners")
        item.tags = [Tag(key="kitchen", name="Kitchen")]
        db.session.commit()

        services.refresh_all()

        found = {e.item.title: e for e in services.recommendations_for(ada.id, n=20)}
        new = found["Baking for beginners"]
        assert (new.ground, new.reason) == ("content", "Similar in content to “Baking”")

    def test_takes_in_a_new_item_when_nobody_did_anything(self, world: World, train: Train) -> None:
        run = train()
        make_item("Bread")

        done = services.refresh_all()

        assert [(each.n_events, each.n_rows, each.n_new_items) for each in done] == [(0, 0, 1)]
        assert artefacts.load_pairs(run.artefact).n_pairs == run.recipe["n_pairs"]

    def test_a_second_refresh_goes_on_from_the_first(self, world: World, train: Train) -> None:
        run = train()
        user = world.crowd[0]
        names = []
        for minute, name in ((4_000, "Soup"), (4_001, "Baking"), (4_002, "Lonely")):
            add_event(user.id, world.items[name].id, minute=minute)
            services.refresh_all()
            names.append(queries.get_run(run.id).artefact)

        assert [name[:-13] for name in names] == [f"{run.id}-{n}" for n in (1, 2, 3)]
        left = {path.name for path in artefacts.folder().glob("*.npz")}
        assert left == {names[1], names[2], names[2].replace(".npz", ".pairs.npz")}
        assert artefacts.load_pairs(run.artefact).n_pairs == run.recipe["n_pairs"] + 3

    def test_a_training_that_finished_meanwhile_wins(
        self, world: World, train: Train, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = train()
        add_event(world.crowd[0].id, world.items["Soup"].id, minute=5_000)
        save = refreshing.cf.save_run

        def overtake(*args: object) -> None:
            save(*args)  # type: ignore[arg-type]
            db.session.execute(
                update(TrainingRun).where(TrainingRun.id == run.id).values(artefact="other.npz")
            )
            db.session.commit()

        monkeypatch.setattr(refreshing.cf, "save_run", overtake)

        assert services.refresh_all() == []
        assert queries.get_run(run.id).artefact == "other.npz"

    def test_without_the_pairs_it_waits_for_the_next_training(
        self, world: World, train: Train
    ) -> None:
        run = train()
        (artefacts.folder() / f"{run.id}.pairs.npz").write_bytes(b"broken")
        add_event(world.crowd[0].id, world.items["Soup"].id, minute=5_000)

        assert services.refresh_all() == []
        assert services.recommendations_for(world.crowd[0].id, n=3)


class TestIgnored:
    @pytest.mark.parametrize(
        ("taken", "given_back"),
        [
            (EventKind.IGNORE, EventKind.UNIGNORE),
            (EventKind.DISMISS, EventKind.UNDISMISS),
        ],
    )
    def test_is_learnt_from_no_more(
        self, world: World, train: Train, taken: EventKind, given_back: EventKind
    ) -> None:
        user, word = world.crowd[0], world.items["Word"].id
        run = train()
        n_pairs = run.recipe["n_pairs"]

        add_event(user.id, word, taken, minute=9_000)
        services.refresh_all()
        without = artefacts.load_pairs(run.artefact).n_pairs
        add_event(user.id, word, given_back, minute=9_001)
        services.refresh_all()

        assert without == n_pairs - 1
        assert artefacts.load_pairs(run.artefact).n_pairs == n_pairs
        model = artefacts.find_model(queries.get_run(run.id))
        assert model is not None
        assert model.n_pairs == n_pairs

    def test_takes_its_reason_off_the_list_and_undo_brings_it_back(
        self, world: World, train: Train, make_user: Callable[..., User]
    ) -> None:
        train()
        ada = make_user()
        word = world.items["Word"].id
        add_event(ada.id, word, minute=900)

        services.ignore(user_id=ada.id, item_id=word)
        without = services.recommendations_for(ada.id, n=5)
        services.heed(user_id=ada.id, item_id=word)
        again = services.recommendations_for(ada.id, n=5)

        assert all(each.popular for each in without)
        assert word not in [each.item.id for each in without]
        assert again[0].reason == "Because you viewed “Word”"


class TestRatings:
    def test_few_stars_take_an_item_out_of_what_is_learnt(self, world: World, train: Train) -> None:
        run = train()
        user, word = world.crowd[0], world.items["Word"].id
        people = _people_of(run, word)

        add_event(user.id, word, EventKind.RATING, value=1.0, minute=9_000)
        services.refresh_all()
        fewer = _people_of(run, word)
        add_event(user.id, word, EventKind.RATING, value=5.0, minute=9_001)
        services.refresh_all()

        assert (fewer, _people_of(run, word)) == (people - 1, people)

    def test_a_refresh_leaves_what_a_training_would_make(self, world: World, train: Train) -> None:
        run = train()
        user, items = world.crowd[0], world.items
        add_event(user.id, items["Word"].id, EventKind.RATING, value=2.0, minute=9_000)
        add_event(user.id, items["Excel"].id, EventKind.WATCH, value=0.8, minute=9_001)
        add_event(user.id, items["Charts"].id, EventKind.FAVOURITE, minute=9_002)
        add_event(user.id, items["Soup"].id, EventKind.DISMISS, minute=9_003)

        services.refresh_all()
        refreshed = artefacts.load_pairs(run.artefact)
        trained = artefacts.load_pairs(train().artefact)

        for name in ("user_ids", "item_ids", "indptr", "items", "times", "weights"):
            np.testing.assert_array_equal(getattr(refreshed, name), getattr(trained, name))
        assert np.unique(trained.weights).tolist() == pytest.approx([0.5, 0.8, 1.5])


def _people_of(run: TrainingRun, item_id: int) -> int:
    model = artefacts.find_model(queries.get_run(run.id))
    assert model is not None
    return int(model.item_counts[model.item_ids.tolist().index(item_id)])


def test_an_event_that_commits_while_others_are_read_is_not_missed(world: World) -> None:
    last = queries.last_event_id()
    add_event(world.crowd[0].id, world.items["Soup"].id, minute=0)

    assert queries.count_events_by_user(after=last) == {world.crowd[0].id: 1}
    assert utcnow() >= world.items["Soup"].created_at
