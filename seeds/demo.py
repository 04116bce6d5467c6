"""The demo portal: what a first start outside production finds, and how to sign in to it."""

import logging
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from dashboard.accounts import services as accounts
from dashboard.accounts.models import RoleName, User
from dashboard.activity import services as activity
from dashboard.analyses import services as analyses
from dashboard.catalogue import services as catalogue
from dashboard.catalogue.models import Item, Video
from dashboard.core import uploads
from dashboard.core.config import Config
from dashboard.core.database import session, transaction
from dashboard.job_queue.queries import Viewer
from dashboard.job_queue.services import enqueue
from dashboard.recommendations.messages import TrainRecommender
from jobs.engines.video import VideoCheck, check_video
from seeds import behaviour, films, organisation, serving
from seeds.catalogue import Page, load, read_pages

log = logging.getLogger(__name__)

FILE = "demo_accounts.txt"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody to sign in as."""

    name: str
    nickname: str
    roles: tuple[RoleName, ...]
    text: str


ACCOUNTS = (
    Account("admin", "Ada Admin", (RoleName.LEARNER, RoleName.ADMIN), "runs the portal: /admin"),
    Account("analyst", "Anna Lyst", (RoleName.LEARNER, RoleName.ANALYST), "analyses, sees charts"),
    Account("learner", "Leo Lerner", (RoleName.LEARNER,), "learns"),
)
# What the demo learner has opened already, so that her home page recommends something.
SEEN = ("course-mutation-tables", "course-statistics", "course-zh-data-analysis")
# Files whose passwords this process has just made and may print once.
_new_files: set[Path] = set()


def load_once(config: Config) -> None:
    """Fill an empty portal; does nothing, quickly, where there is any user or item."""
    if session.scalar(select(User.id).limit(1)) or session.scalar(select(Item.id).limit(1)):
        return
    log.info("first start: making the demo portal")
    passwords = {account.name: _password(config) for account in ACCOUNTS}
    pages = read_pages()
    with tempfile.TemporaryDirectory() as folder, transaction():
        users = {account.name: _make_user(account, passwords[account.name]) for account in ACCOUNTS}
        items = load(pages)
        videos = _make_videos(pages, items, Path(folder), actor_id=users["admin"].id)
        behaviour.load(behaviour.make_learners(), items, videos)
        _open_some(users["learner"].id, items, videos)
        organisation.load(items, list(session.scalars(select(User).order_by(User.id))))
        enqueue(TrainRecommender(), owner_id=None, unique_key="recommendations.train")
        serving.deploy_tree(users["analyst"].id)
        _analyse_sample(users["analyst"].id)
        _write_accounts(config, passwords)


def sign_in_help(config: Config) -> str:
    """How to sign in: with the passwords on the start that made them, else where they are kept."""
    path = config.site.data_dir / FILE
    if not path.exists():
        return "  Sign in with your account, or register one."
    if path in _new_files:
        _new_files.discard(path)
        text = path.read_text(encoding="utf-8").rstrip()
        lines = [f"  {line}" for line in text.splitlines()]
        return "\n".join([*lines, f"  These are kept in {path}"])
    names = ", ".join(account.name for account in ACCOUNTS)
    return f"  Sign in as {names}: the passwords are in {path}"


# ---------------------------------------------------------------------------------------------- helpers


def _password(config: Config) -> str:
    # A longer minimum than the default may be configured.
    return secrets.token_urlsafe(max(9, config.accounts.password_min_length))


def _make_user(account: Account, password: str) -> User:
    return accounts.register(
        user_name=account.name,
        email=f"{account.name}@example.org",
        nickname=account.nickname,
        password=password,
        roles=account.roles,
    )


def _make_videos(
    pages: list[Page], items: dict[str, Item], folder: Path, *, actor_id: int
) -> dict[str, Video]:
    """The films of the courses, checked at once: the demo should play before the job runner has looked."""
    made: dict[str, Video] = {}
    checks: dict[str, VideoCheck] = {}
    for page in pages:
        if not page.film:
            continue
        path = folder / f"{page.film}.mp4"
        poster = path.with_suffix(".jpg")
        if page.film not in checks:
            checks[page.film] = check_video(films.make_film(page.film, path), poster=poster)
        title = page.fields["film_title"]
        video = catalogue.add_video(items[page.name].id, actor_id=actor_id, path=path, title=title)
        check = checks[page.film]
        made[page.name] = catalogue.record_check(video.id, check=check, poster=poster)
        if page.fields.get("preview"):
            catalogue.update_video(video.id, actor_id=actor_id, preview_public=True)
    return made


def _open_some(learner_id: int, items: dict[str, Item], videos: dict[str, Video]) -> None:
    for name in SEEN:
        activity.record_view(learner_id=learner_id, item_id=items[name].id)
    activity.set_favourite(learner_id=learner_id, item_id=items[SEEN[0]].id, on=True)
    activity.rate(learner_id=learner_id, item_id=items[SEEN[1]].id, stars=5)
    video = videos[SEEN[0]]
    activity.record_watch(
        learner_id=learner_id, video_id=video.id, position_s=(video.duration_s or 0.0) / 3
    )


def _analyse_sample(analyst_id: int) -> None:
    """The demo analyst has an analysis, which the job runner does in its first seconds."""
    sample = analyses.create_sample(owner_id=analyst_id)
    viewer = Viewer(user_id=analyst_id)
    analyses.describe_upload(
        sample.id,
        viewer=viewer,
        patient_name="张小三",
        patient_age=43,
        note="Simulated sample data.",
    )
    analyses.start_analysis(sample.id, viewer=viewer, parameters={})


def _write_accounts(config: Config, passwords: dict[str, str]) -> None:
    path = config.site.data_dir / FILE
    lines = ["Sign in with a name and its password:"]
    lines += [f"{one.name:<9} {one.text:<24} {passwords[one.name]}" for one in ACCOUNTS]
    path.unlink(missing_ok=True)
    # Readable by the owner from its first moment on.
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    uploads.delete_on_rollback(path)
    _new_files.add(path)
