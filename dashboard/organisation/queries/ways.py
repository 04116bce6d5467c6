"""One learner's way: how far she is on the courses that lead to each position. Nobody else sees it."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select

from dashboard.activity.models import Favourite, WatchProgress
from dashboard.catalogue.models import Item, ItemStatus, PositionCourse, Video, VideoState
from dashboard.core.database import session


@dataclass(frozen=True, slots=True)
class Way:
    """How far a learner is towards one position: the mean of its courses, 0 to 1."""

    position_id: int
    done: float
    favourite: bool
    n_courses: int
    n_done: int


@dataclass(frozen=True, slots=True)
class Ways:
    """The positions a learner is on the way to, and how far she is in each course she has begun."""

    positions: dict[int, Way]
    courses: dict[int, float]


def ways_of(user_id: int) -> Ways:
    """Every position that the learner keeps as a favourite or that a begun or favourite course leads to."""
    courses = _progress(user_id)
    favourites = set(session.scalars(select(Favourite.item_id).where(Favourite.user_id == user_id)))
    ways = {
        position: _way(position, leading, courses, favourites)
        for position, leading in _links(favourites, courses).items()
    }
    return Ways(positions=ways, courses=courses)


def way_to(user_id: int, position_id: int) -> Ways:
    """The learner's way to one position, however far: `positions` holds just that one."""
    courses = _progress(user_id)
    favourites = set(session.scalars(select(Favourite.item_id).where(Favourite.user_id == user_id)))
    leading = list(session.scalars(_leading(PositionCourse.position_id == position_id)))
    return Ways(
        positions={position_id: _way(position_id, leading, courses, favourites)}, courses=courses
    )


def _way(position: int, leading: list[int], courses: dict[int, float], kept: set[int]) -> Way:
    shares = [courses.get(course, 0.0) for course in leading]
    return Way(
        position_id=position,
        done=sum(shares) / len(shares) if shares else 0.0,
        favourite=position in kept,
        n_courses=len(shares),
        n_done=sum(share >= 1.0 for share in shares),
    )


def _links(favourites: set[int], courses: dict[int, float]) -> dict[int, list[int]]:
    """The courses of every position on the way."""
    met = [*favourites, *courses]
    near = select(PositionCourse.position_id).where(
        PositionCourse.course_id.in_(met) | PositionCourse.position_id.in_(favourites)
    )
    query = (
        select(PositionCourse.position_id, PositionCourse.course_id)
        .join(Item, Item.id == PositionCourse.course_id)
        .where(Item.status == ItemStatus.PUBLISHED, PositionCourse.position_id.in_(near))
        .order_by(PositionCourse.position_id, PositionCourse.ordinal)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for position, course in session.execute(query):
        found[position].append(course)
    return dict(found)


def _leading(condition: ColumnElement[bool]) -> Select[int]:
    return (
        select(PositionCourse.course_id)
        .join(Item, Item.id == PositionCourse.course_id)
        .where(Item.status == ItemStatus.PUBLISHED, condition)
        .order_by(PositionCourse.ordinal)
    )


def _progress(user_id: int) -> dict[int, float]:
    """Of each begun course the share of its playable videos that the learner has reached, 0 to 1."""
    query = (
        select(
            WatchProgress.item_id,
            WatchProgress.reached_s,
            WatchProgress.duration_s,
            WatchProgress.finished,
        )
        .join(Video, Video.id == WatchProgress.video_id)
        .where(WatchProgress.user_id == user_id, Video.state == VideoState.READY)
    )
    reached: dict[int, float] = defaultdict(float)
    for course, reached_s, duration_s, finished in session.execute(query):
        share = reached_s / duration_s if duration_s > 0 else 0.0
        reached[course] += 1.0 if finished else min(1.0, share)
    counts = select(Video.item_id, func.count()).where(
        Video.item_id.in_(list(reached)), Video.state == VideoState.READY
    )
    n_videos = {row[0]: row[1] for row in session.execute(counts.group_by(Video.item_id))}
    return {course: min(1.0, total / n_videos[course]) for course, total in reached.items()}
