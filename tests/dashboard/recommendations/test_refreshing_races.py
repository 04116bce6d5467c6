"""Refreshes that break off, lose, or meet events that commit late: nothing is lost for good."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from pytest import MonkeyPatch
from sqlalchemy import insert

from dashboard.activity.models import Event
from dashboard.core.database import db
from dashboard.core.errors import Unavailable
from dashboard.recommendations import queries, services
from dashboard.recommendations.models import TrainingRun
from dashboard.recommendations.services import artefacts, importing, refreshing
from dashboard.recommendations.services.transfer import Format
from tests.dashboard.recommendations.conftest import World
from tests.factories.behaviour import add_event

Train = Callable[[], TrainingRun]

on_servers = pytest.mark.parametrize("each_database", ["postgresql", "mariadb"], indirect=True)


BringIn = Callable[[int, int], None]
BeforeSaving = Callable[[Callable[[], object]], None]


@pytest.fixture
def bring_in(tmp_path: Path) -> BringIn:
    """Imports a file with one new view of an item by a user."""
    path = tmp_path / "views.csv"

    def run(user_id: int, item_id: int) -> None:
        path.write_text(f"user_id,item_id,created_at\n{user_id},{item_id},2026-05-01T10:00:00Z\n")
        services.import_interactions(path, form=Format.CSV, dry_run=False, actor_id=user_id)

    return run


@pytest.fixture
def before_saving(app: Flask, monkeypatch: MonkeyPatch) -> BeforeSaving:
    """Has another session do something once, when what was read is about to be saved."""
    save = refreshing.cf.save_run

    def arrange(then: Callable[[], object]) -> None:
        def save_after(*args: Any) -> None:
            monkeypatch.setattr(refreshing.cf, "save_run", save)
            with app.app_context():
                then()
            save(*args)

        monkeypatch.setattr(refreshing.cf, "save_run", save_after)

    return arrange


@pytest.fixture
def no_overlap(monkeypatch: MonkeyPatch) -> None:
    """As if more than OVERLAP events had come meanwhile."""
    monkeypatch.setattr(refreshing, "OVERLAP", 0)


def files() -> set[str]:
    return {path.name for path in artefacts.folder().iterdir()}


def knows(run_id: int, user_id: int, item_id: int) -> bool:
    """Whether the run's pairs and its model have the pair."""
    run = queries.get_run(run_id)
    pairs, model = artefacts.load_pairs(run.artefact), artefacts.find_model(run)
    assert model is not None
    assert model.n_pairs == pairs.n_pairs
    users, items = pairs.user_ids[pairs.users], pairs.item_ids[pairs.items]
    return bool(((users == user_id) & (items == item_id)).any())


class TestBreaksOff:
    @pytest.mark.parametrize("step", ["_replace", "artefacts.save_pairs", "cf.save_run"])
    def test_leaves_the_run_as_it_was_and_the_next_takes_all_in(
        self, world: World, train: Train, monkeypatch: MonkeyPatch, step: str
    ) -> None:
        run = train()
        before = (run.artefact, run.last_event_id, run.refreshed_at)
        user, soup = world.crowd[0].id, world.items["Soup"].id
        add_event(user, soup, minute=5_000)

        def fail(*_: object) -> None:
            raise Unavailable

        with monkeypatch.context() as broken:
            broken.setattr(f"{refreshing.__name__}.{step}", fail)
            with pytest.raises(Unavailable):
                services.refresh_all()
        run = queries.get_run(run.id)
        after, known = (
            (run.artefact, run.last_event_id, run.refreshed_at),
            knows(run.id, user, soup),
        )
        done = services.refresh_all()

        assert after == before
        assert not known
        assert [each.n_events for each in done] == [1]
        assert knows(run.id, user, soup)

    def test_a_full_disk_leaves_no_file(
        self, world: World, train: Train, monkeypatch: MonkeyPatch
    ) -> None:
        train()
        before = files()
        add_event(world.crowd[0].id, world.items["Soup"].id, minute=5_000)

        def fail(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(artefacts.np, "savez", fail)
        with pytest.raises(OSError, match="No space"):
            services.refresh_all()

        assert files() == before


class TestLoses:
    def test_to_another_refresh_and_takes_only_its_own_files_away(
        self, world: World, train: Train, before_saving: BeforeSaving
    ) -> None:
        run_id = train().id
        (ada, bob), soup = (user.id for user in world.crowd[:2]), world.items["Soup"].id
        add_event(ada, soup, minute=5_000)
        winner: list[Any] = []

        def overtake() -> None:
            add_event(bob, soup, minute=5_001)
            winner.extend(services.refresh_all())

        before_saving(overtake)
        lost = services.refresh_all()

        assert lost == []
        assert [each.n_events for each in winner] == [2]
        assert knows(run_id, ada, soup)
        assert knows(run_id, bob, soup)
        artefact = queries.get_run(run_id).artefact
        stem = artefact.removesuffix(".npz")
        assert files() == {f"{run_id}.npz", artefact, f"{stem}.pairs.npz"}

    def test_an_older_run_without_weights_is_refreshed(self, world: World, train: Train) -> None:
        run = train()
        path = artefacts.folder() / f"{run.id}.pairs.npz"
        with np.load(path) as file:
            kept = {name: file[name] for name in file if name != "weights"}
        np.savez(path, **kept)
        user, soup = world.crowd[0].id, world.items["Soup"].id
        add_event(user, soup, minute=5_000)

        done = services.refresh_all()

        assert [each.n_events for each in done] == [1]
        assert knows(run.id, user, soup)


class TestCommitsLate:
    @on_servers
    @pytest.mark.usefixtures("each_database")
    def test_an_event_below_the_newest_is_taken_in_with_the_next(
        self, world: World, train: Train
    ) -> None:
        run_id = train().id
        late, early, third = (user.id for user in world.crowd[:3])
        soup = world.items["Soup"].id
        row = {"user_id": late, "item_id": soup, "kind": "view", "created_at": datetime(2026, 4, 1)}
        with db.engine.connect() as other:
            other.execute(insert(Event), [row])
            add_event(early, soup, minute=5_000)
            passed = services.refresh_all()
            other.commit()
        nothing = services.refresh_all()
        add_event(third, soup, minute=5_001)

        done = services.refresh_all()

        assert [each.n_events for each in passed] == [1]
        assert nothing == []
        assert [each.n_events for each in done] == [1]
        assert knows(run_id, late, soup)

    @on_servers
    @pytest.mark.usefixtures("each_database", "no_overlap")
    def test_an_import_that_a_refresh_overtook_is_read_by_the_next(
        self, app: Flask, world: World, train: Train, bring_in: BringIn, monkeypatch: MonkeyPatch
    ) -> None:
        run_id = train().id
        (late, early), soup = (user.id for user in world.crowd[:2]), world.items["Soup"].id
        store, passed = importing._store, []

        def overtaken(rows: Any) -> None:
            store(rows)
            with app.app_context():
                add_event(early, soup, minute=5_000)
                passed.extend(services.refresh_all())

        monkeypatch.setattr(importing, "_store", overtaken)
        bring_in(late, soup)
        between = knows(run_id, late, soup)

        done = services.refresh_all()

        assert [each.n_events for each in passed] == [1]
        assert not between
        assert [each.n_events for each in done] == [2]
        assert knows(run_id, late, soup)


@pytest.mark.usefixtures("each_database", "no_overlap")
class TestImportMeanwhile:
    """The reader has read everything when the import commits, below a number that it has seen."""

    def test_beats_a_refresh(
        self, world: World, train: Train, bring_in: BringIn, before_saving: BeforeSaving
    ) -> None:
        run_id = train().id
        (late, early), soup = (user.id for user in world.crowd[:2]), world.items["Soup"].id
        add_event(early, soup, minute=5_000)

        before_saving(lambda: bring_in(late, soup))
        lost = services.refresh_all()
        services.refresh_all()

        assert lost == []
        assert knows(run_id, late, soup)
        assert knows(run_id, early, soup)

    def test_is_read_by_the_refresh_after_a_training(
        self, world: World, train: Train, bring_in: BringIn, before_saving: BeforeSaving
    ) -> None:
        late, soup = world.crowd[0].id, world.items["Soup"].id
        last = queries.last_event_id()

        before_saving(lambda: bring_in(late, soup))
        run = train()
        mark, between = run.last_event_id, knows(run.id, late, soup)
        services.refresh_all()

        assert not between
        assert mark is not None
        assert mark < last
        assert knows(run.id, late, soup)
