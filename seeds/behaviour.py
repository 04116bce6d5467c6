"""Fictitious learners and what they did in the last two months, so that recommendations have something to say.

Everybody belongs to a circle with a taste; most of what she does follows it, some is chance.
"""

import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from dashboard.accounts import passwords
from dashboard.accounts.models import RoleName, User
from dashboard.accounts.services import checks
from dashboard.activity.models import Event, EventKind, Favourite, Rating, WatchProgress
from dashboard.catalogue.models import Item, Video
from dashboard.core.database import session, utcnow

N_LEARNERS = 40
DAYS = 60
SEED = 20260301
NAMES = (
    *(
        "Mira Sand",
        "Jonas Fels",
        "Ada Quill",
        "Tomas Reed",
        "Lena Brook",
        "Omar Vale",
        "Iris Thorn",
    ),
    *("Nils Harbour", "Sofia Lark", "Pavel Stone", "Ruth Meadow", "Emil Cross", "Clara Wren"),
    *(
        "Yusuf Dale",
        "Hanna Frost",
        "Leo Marsh",
        "Nora Field",
        "Sami Hill",
        "Vera Lund",
        "Anton Bay",
    ),
    *(
        "林晓岚",
        "周子墨",
        "吴雨桐",
        "郑书航",
        "许清扬",
        "沈若溪",
        "韩亦辰",
        "唐思远",
        "冯嘉禾",
        "曹映雪",
    ),
    *(
        "彭一帆",
        "蒋欣怡",
        "董博文",
        "袁知夏",
        "潘景行",
        "杜若彤",
        "叶承泽",
        "魏安然",
        "苏明远",
        "方可欣",
    ),
)
# What each circle likes, the most liked first; names of files in seeds/data.
CIRCLES = (
    (
        *("course-mutation-tables", "course-clonal-structure", "position-bioinformatics"),
        *("course-statistics", "course-python"),
    ),
    (
        *("course-spreadsheets", "course-statistics", "position-data-analyst"),
        *("course-python", "course-risk"),
    ),
    (
        *("course-zh-data-analysis", "course-zh-charts", "position-zh-analyst"),
        *("course-zh-masking", "course-statistics"),
    ),
    (
        *("course-zh-deployment", "course-python", "position-zh-deployment"),
        *("course-zh-security", "course-zh-lead"),
    ),
    (
        "course-risk",
        "course-zh-lead",
        "position-lab-lead",
        "course-spreadsheets",
        "course-zh-security",
    ),
)


@dataclass(slots=True)
class Story:
    """What will be stored, by table, and the dice that decide it."""

    chance: random.Random
    events: list[dict[str, Any]] = field(default_factory=list)
    favourites: list[dict[str, Any]] = field(default_factory=list)
    ratings: list[dict[str, Any]] = field(default_factory=list)
    progress: list[dict[str, Any]] = field(default_factory=list)

    def visit(self, who: dict[str, int], video: Video | None, *, at: datetime, likes: bool) -> None:
        """One learner opens one item and perhaps does more; `who` names both."""
        dice = self.chance
        self._happened(who, EventKind.VIEW, at)
        if video is not None and dice.random() < (0.8 if likes else 0.3):
            self._watch(who, video, at + timedelta(minutes=3))
        if likes and dice.random() < 0.35:
            self._happened(who, EventKind.FAVOURITE, at + timedelta(minutes=5))
            self.favourites.append({**who, "created_at": at + timedelta(minutes=5)})
        if dice.random() < (0.5 if likes else 0.3):
            stars = dice.choice((4, 4, 5, 5) if likes else (1, 2, 3))
            self._happened(who, EventKind.RATING, at + timedelta(minutes=6), value=float(stars))
            self.ratings.append({**who, "stars": stars, "updated_at": at + timedelta(minutes=6)})

    def _watch(self, who: dict[str, int], video: Video, at: datetime) -> None:
        share = self.chance.choice((0.2, 0.45, 0.7, 1.0, 1.0))
        length_s = video.duration_s or 1.0
        reached_s = round(length_s * share, 1)
        self._happened(who, EventKind.WATCH, at, value=share, video_id=video.id)
        self.progress.append(
            {
                **who,
                "video_id": video.id,
                "position_s": reached_s,
                "reached_s": reached_s,
                "duration_s": length_s,
                "finished": share >= 1.0,
                "updated_at": at,
            }
        )

    def _happened(
        self,
        who: dict[str, int],
        kind: EventKind,
        at: datetime,
        *,
        value: float | None = None,
        video_id: int | None = None,
    ) -> None:
        row = {"kind": kind.value, "value": value, "video_id": video_id, "created_at": at}
        self.events.append({**who, **row})


def make_learners() -> list[User]:
    """The learners; nobody can sign in as one of them."""
    # One hash for all: it is slow on purpose, and the password is forgotten at once.
    nobody_knows = passwords.hash_password(secrets.token_urlsafe(32))
    roles = checks.find_roles([RoleName.LEARNER])
    learners = [
        User(user_name=f"demo-{number:02}", nickname=name, password=nobody_knows, roles=list(roles))
        for number, name in enumerate(NAMES[:N_LEARNERS], start=1)
    ]
    session.add_all(learners)
    session.flush()
    return learners


def load(learners: Iterable[User], items: dict[str, Item], videos: dict[str, Video]) -> int:
    """Store what the learners did; how many events that were."""
    story, now = Story(chance=random.Random(SEED)), utcnow()  # noqa: S311 - a story, not a secret
    for number, learner in enumerate(learners):
        circle = CIRCLES[number % len(CIRCLES)]
        for name in _interests(circle, list(items), story.chance):
            story.visit(
                {"user_id": learner.id, "item_id": items[name].id},
                videos.get(name),
                at=now - timedelta(days=story.chance.uniform(0.2, DAYS)),
                likes=name in circle,
            )
    session.execute(insert(Event), story.events)
    session.execute(insert(Favourite), story.favourites)
    session.execute(insert(Rating), story.ratings)
    session.execute(insert(WatchProgress), story.progress)
    return len(story.events)


def _interests(circle: tuple[str, ...], names: list[str], chance: random.Random) -> list[str]:
    wanted = [name for place, name in enumerate(circle) if chance.random() < 0.95 - 0.12 * place]
    others = [name for name in names if name not in circle and chance.random() < 0.08]
    return wanted + others
