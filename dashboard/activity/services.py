"""Recording what learners do. The event log keeps all of it; the state tables keep what holds now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from dashboard.activity.models import Event, EventKind, Favourite, Rating, WatchProgress
from dashboard.catalogue import queries as catalogue
from dashboard.catalogue.models import Video
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Invalid, Problem
from dashboard.core.i18n import _

# The end titles need not be watched.
FINISHED_AT = 0.95
# A player reports every ten seconds; the log gets one event for every tenth of the video that is new.
STEPS = 10


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing a learner did, as a page or the API reports it."""

    kind: EventKind
    item_id: int
    video_id: int | None = None
    value: float | None = None
    position_s: float | None = None
    duration_s: float | None = None


def record_all(happenings: Iterable[Happening], *, learner_id: int) -> int:
    """Record what a learner did, in order, and how many that were. Raises NotFound and Invalid before
    anything is recorded."""
    actions = [_action(happening, learner_id) for happening in happenings]
    for action in actions:
        action()
    return len(actions)


def record_view(*, learner_id: int, item_id: int) -> None:
    """A learner opened an introduction page."""
    _record_event(EventKind.VIEW, learner_id=learner_id, item_id=item_id)


def record_download(*, learner_id: int, item_id: int, video_id: int) -> None:
    """A learner downloaded a video."""
    _record_event(EventKind.DOWNLOAD, learner_id=learner_id, item_id=item_id, video_id=video_id)


def dismiss(*, learner_id: int, item_id: int, undo: bool = False) -> None:
    """A learner is not interested in a recommended item, or is again."""
    kind = EventKind.UNDISMISS if undo else EventKind.DISMISS
    _record_event(kind, learner_id=learner_id, item_id=item_id)


def ignore(*, learner_id: int, item_id: int, undo: bool = False) -> None:
    """What a learner did with an item is not to be learnt from, or is again."""
    kind = EventKind.UNIGNORE if undo else EventKind.IGNORE
    _record_event(kind, learner_id=learner_id, item_id=item_id)


def set_favourite(*, learner_id: int, item_id: int, on: bool) -> None:
    """Keep an item as a favourite, or no longer; doing it twice changes nothing."""
    catalogue.get_item(item_id)
    try:
        with transaction():
            present = session.get(Favourite, (learner_id, item_id))
            if on and present is None:
                session.add(Favourite(user_id=learner_id, item_id=item_id))
                _add(EventKind.FAVOURITE, learner_id=learner_id, item_id=item_id)
            elif present is not None and not on:
                session.delete(present)
                _add(EventKind.UNFAVOURITE, learner_id=learner_id, item_id=item_id)
    except Conflict:
        return  # a second click at the same moment has done it


def rate(*, learner_id: int, item_id: int, stars: int) -> None:
    """Give an item 1 to 5 stars; a later rating replaces the earlier one. Raises Invalid."""
    if stars not in range(1, 6):
        message = _("A rating is 1 to 5 stars.")
        raise Invalid(message, problems=[Problem("value", message)])
    catalogue.get_item(item_id)
    try:
        with transaction():
            rating = session.get(Rating, (learner_id, item_id))
            if rating is not None and rating.stars == stars:
                return
            if rating is None:
                rating = Rating(user_id=learner_id, item_id=item_id)
                session.add(rating)
            rating.stars = stars
            _add(EventKind.RATING, learner_id=learner_id, item_id=item_id, value=stars)
    except Conflict:
        # A second click at the same moment was first; the row is there now.
        rate(learner_id=learner_id, item_id=item_id, stars=stars)


def record_watch(
    *, learner_id: int, video_id: int, position_s: float, duration_s: float | None = None
) -> WatchProgress | None:
    """Remember where a learner is in a video; None when nothing was watched yet.

    A video that does not play, or stands at its beginning, makes no progress.
    """
    video = catalogue.get_video(video_id)
    length_s = video.duration_s or duration_s or 0.0
    if not video.playable or length_s <= 0:
        return None
    position_s = min(max(0.0, position_s), length_s)
    with transaction():
        progress = session.get(WatchProgress, (learner_id, video_id))
        if progress is None and position_s <= 0:
            return None
        if progress is None:
            progress = WatchProgress(
                user_id=learner_id, video_id=video_id, item_id=video.item_id, reached_s=0.0
            )
            session.add(progress)
        _advance(progress, video, position_s=position_s, length_s=length_s)
    return progress


# ---------------------------------------------------------------------------------------------- helpers


def _advance(progress: WatchProgress, video: Video, *, position_s: float, length_s: float) -> None:
    before = progress.reached_s / length_s
    progress.position_s, progress.duration_s = position_s, length_s
    progress.reached_s = max(progress.reached_s, position_s)
    progress.updated_at = utcnow()
    reached = progress.reached_s / length_s
    was_finished, progress.finished = bool(progress.finished), reached >= FINISHED_AT
    is_new = int(reached * STEPS) > int(before * STEPS) or before == 0
    if is_new or progress.finished != was_finished:
        _add(
            EventKind.WATCH,
            learner_id=progress.user_id,
            item_id=video.item_id,
            video_id=video.id,
            value=round(reached, 3),
        )


def _action(happening: Happening, learner_id: int) -> Callable[[], Any]:
    """What to do about a happening. Raises NotFound and Invalid when it cannot be."""
    catalogue.get_item(happening.item_id)
    one: dict[str, Any] = {"learner_id": learner_id, "item_id": happening.item_id}
    kind = happening.kind
    if kind in (EventKind.FAVOURITE, EventKind.UNFAVOURITE):
        return partial(set_favourite, **one, on=kind is EventKind.FAVOURITE)
    if kind is EventKind.RATING:
        return partial(rate, **one, stars=_stars(happening.value))
    if kind in (EventKind.DISMISS, EventKind.UNDISMISS, EventKind.IGNORE, EventKind.UNIGNORE):
        about = dismiss if kind in (EventKind.DISMISS, EventKind.UNDISMISS) else ignore
        return partial(about, **one, undo=kind in (EventKind.UNDISMISS, EventKind.UNIGNORE))
    if kind is EventKind.VIEW:
        return partial(record_view, **one)
    video_id = _video_id(happening)
    if kind is EventKind.DOWNLOAD:
        return partial(record_download, **one, video_id=video_id)
    position_s = happening.value if happening.position_s is None else happening.position_s
    return partial(
        record_watch,
        learner_id=learner_id,
        video_id=video_id,
        position_s=_number(position_s),
        duration_s=happening.duration_s,
    )


def _stars(value: float | None) -> int:
    if value is None or value not in range(1, 6):
        message = _("A rating is 1 to 5 stars.")
        raise Invalid(message, problems=[Problem("value", message)])
    return int(value)


def _number(value: float | None) -> float:
    if value is None:
        message = _("Say how far the video was watched, in seconds.")
        raise Invalid(message, problems=[Problem("position_s", message)])
    return value


def _video_id(happening: Happening) -> int:
    video = catalogue.get_video(happening.video_id) if happening.video_id else None
    if video is None or video.item_id != happening.item_id:
        message = _("Say which video of this item is meant.")
        raise Invalid(message, problems=[Problem("video_id", message)])
    return video.id


def _record_event(
    kind: EventKind, *, learner_id: int, item_id: int, video_id: int | None = None
) -> None:
    catalogue.get_item(item_id)
    with transaction():
        _add(kind, learner_id=learner_id, item_id=item_id, video_id=video_id)


def _add(
    kind: EventKind,
    *,
    learner_id: int,
    item_id: int,
    video_id: int | None = None,
    value: float | None = None,
) -> None:
    session.add(
        Event(
            kind=kind.value,
            user_id=learner_id,
            item_id=item_id,
            video_id=video_id,
            value=value,
        )
    )
