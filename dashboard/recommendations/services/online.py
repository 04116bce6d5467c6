"""What is shown to whom and what of it is opened: the ground on which runs are compared live."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from dashboard.catalogue import queries as catalogue
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.errors import Conflict, Unavailable
from dashboard.recommendations.models import Impression, Source
from dashboard.recommendations.services import serving
from dashboard.recommendations.services.lists import Recommendation

EPOCH = datetime(1970, 1, 1)
# A video begun so long after the click still counts as a watch after it.
WATCH_WITHIN = timedelta(days=7)


def record_shown(user_id: int, found: Sequence[Recommendation], *, source: Source) -> None:
    """Remember what a learner was shown: an item once a day, place and experiment, however often she looks.

    Never in the way of the page: when the database has no room for it now, it is not counted."""
    now = utcnow()
    day = (now - EPOCH).days
    served = serving.served_to(user_id)
    series = served.experiment_id or 0
    known = set(
        session.scalars(
            select(Impression.item_id).where(
                Impression.user_id == user_id,
                Impression.day == day,
                Impression.source == source,
                Impression.series == series,
            )
        )
    )
    rows = [
        {
            "user_id": user_id,
            "item_id": each.item.id,
            "run_id": served.run_id,
            "experiment_id": served.experiment_id,
            "series": series,
            "source": source.value,
            "ground": each.ground,
            "place": place,
            "day": day,
            "shown_at": now,
        }
        for place, each in enumerate(found, start=1)
        if each.item.id not in known
    ]
    if not rows:
        return
    try:
        with transaction():
            session.execute(insert(Impression), rows)
    except (Conflict, Unavailable):
        return  # a second tab of hers was first, or the database is busy


def record_click(user_id: int, item_id: int, *, source: Source) -> None:
    """A learner opened an item from a list. Raises NotFound for one she may not see."""
    catalogue.get_item(item_id)
    now = utcnow()
    series = serving.served_to(user_id).experiment_id or 0
    newest = (
        select(Impression.id)
        .where(
            Impression.user_id == user_id,
            Impression.item_id == item_id,
            Impression.source == source,
        )
        # A page that is older than the experiment counts where it was shown.
        .order_by(Impression.day.desc(), (Impression.series == series).desc(), Impression.id.desc())
        .limit(1)
    )
    impression_id = session.scalar(newest)
    with transaction():
        session.execute(
            update(Impression)
            .where(Impression.id == impression_id, Impression.clicked_at.is_(None))
            .values(clicked_at=now, watched_until=now + WATCH_WITHIN)
        )
