"""Unique keys: of the jobs that are queued or run, one at most holds a key."""

from sqlalchemy import update

from dashboard.core.database import session
from dashboard.core.errors import Conflict
from dashboard.core.i18n import _
from dashboard.job_queue import queries
from dashboard.job_queue.models import Job
from dashboard.job_queue.queries import Viewer


def find_holder(unique_key: str) -> Job | None:
    """The job that holds the key, which it then keeps until the caller has committed."""
    # A write comes first: on SQLite it takes the write lock before the look.
    held = update(Job).where(Job.unique_key == unique_key).values(unique_key=unique_key)
    session.execute(held, execution_options={"synchronize_session": False})
    return queries.find_active(unique_key)


def refusal(holder: Job | None, viewer: Viewer) -> Conflict:
    """Why another job cannot have the key; names its holder to whoever may see that."""
    if holder is None or not queries.list_jobs([holder.id], viewer):
        return Conflict(_("The same work waits or runs already, as another job."))
    return Conflict(_("The same work waits or runs already, as job %(id)s.", id=holder.id))
