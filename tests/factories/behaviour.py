"""Items and what people did with them, for tests."""

from datetime import datetime, timedelta

from dashboard.activity.models import Event, EventKind
from dashboard.catalogue.models import Item, ItemKind, ItemStatus
from dashboard.core.database import db

START = datetime(2026, 3, 1, 9, 0)


def make_item(title: str, *, status: ItemStatus = ItemStatus.PUBLISHED) -> Item:
    """A stored course."""
    item = Item(kind=ItemKind.COURSE.value, title=title, status=status.value, summary=title)
    db.session.add(item)
    db.session.commit()
    return item


def add_event(
    user_id: int,
    item_id: int,
    kind: EventKind = EventKind.VIEW,
    *,
    value: float | None = None,
    minute: int = 0,
) -> None:
    """Something a learner did, `minute` minutes after START."""
    at = START + timedelta(minutes=minute)
    db.session.add(
        Event(user_id=user_id, item_id=item_id, kind=kind.value, value=value, created_at=at)
    )
    db.session.commit()
