from pathlib import Path

from flask import Flask
from sqlalchemy import event

from dashboard.accounts import services as accounts
from dashboard.accounts.models import User
from dashboard.activity.models import Event
from dashboard.catalogue.models import Item, ItemKind, Video, VideoState
from dashboard.core.config import Config
from dashboard.core.database import db
from seeds import behaviour, demo
from seeds.catalogue import read_pages


class TestLoadOnce:
    def test_fills_an_empty_portal(self, app: Flask, config: Config) -> None:
        demo.load_once(config)

        kinds = [kind for (kind,) in db.session.query(Item.kind)]
        assert kinds.count(ItemKind.COURSE) == 12 and kinds.count(ItemKind.POSITION) == 5
        assert {item.language for item in db.session.query(Item)} == {"en", "zh"}
        assert {video.state for video in db.session.query(Video)} == {VideoState.READY}
        assert db.session.query(User).count() == behaviour.N_LEARNERS + 3
        assert db.session.query(Event).count() > 200

        statements: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        demo.load_once(config)

        assert len(statements) == 1, "a second start asks once"

    def test_makes_accounts_whose_passwords_are_in_the_file(
        self, app: Flask, config: Config
    ) -> None:
        demo.load_once(config)

        path = config.site.data_dir / demo.FILE
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        assert path.stat().st_mode & 0o777 == 0o600
        for line in lines:
            name, password = line.split()[0], line.split()[-1]
            with app.test_request_context():
                user = accounts.authenticate(name, password)
            assert user.user_name == name

    def test_leaves_a_portal_with_users_alone(
        self, app: Flask, config: Config, make_user: object
    ) -> None:
        make_user()  # type: ignore[operator]

        demo.load_once(config)

        assert db.session.query(Item).count() == 0
        assert not (config.site.data_dir / demo.FILE).exists()


class TestSignInHelp:
    def test_prints_passwords_once_and_then_where_they_are(
        self, app: Flask, config: Config
    ) -> None:
        demo.load_once(config)

        first, second = demo.sign_in_help(config), demo.sign_in_help(config)

        path: Path = config.site.data_dir / demo.FILE
        password = path.read_text(encoding="utf-8").split()[-1]
        assert password in first and str(path) in first
        assert password not in second and str(path) in second
        for role in ("admin", "analyst", "learner"):
            assert role in second


class TestReadPages:
    def test_reads_fields_and_content_of_every_page(self) -> None:
        pages = read_pages()

        names = {page.name for page in pages}
        assert all(page.fields["title"] and page.content for page in pages)
        assert all(set(page.fields.get("courses", [])) <= names for page in pages)
        assert all(set(circle) <= names for circle in behaviour.CIRCLES)
