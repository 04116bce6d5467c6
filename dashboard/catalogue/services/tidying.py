"""Files that nothing belongs to any more: a crash between two steps may leave one."""

from sqlalchemy import select

from dashboard.catalogue.models import Item, UploadTicket, Video
from dashboard.catalogue.services.uploads import part_name, remove_expired_uploads
from dashboard.core import uploads
from dashboard.core.database import session


def tidy_files() -> int:
    """Forget uploads that were never finished, and remove files without a row; how many of both."""
    n_expired = remove_expired_uploads()
    known = {
        "covers": set(session.scalars(select(Item.cover).where(Item.cover != ""))),
        "videos": set(session.scalars(select(Video.stored_name))),
        "posters": set(session.scalars(select(Video.poster).where(Video.poster != ""))),
        "incoming": {part_name(token) for token in session.scalars(select(UploadTicket.token))},
    }
    return n_expired + uploads.remove_strays(known)
