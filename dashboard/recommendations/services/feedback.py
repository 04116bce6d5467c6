"""What a learner says about her list, and who asks for a new one for everybody."""

from dashboard.activity import services as activity
from dashboard.audit import services as audit
from dashboard.core.database import transaction
from dashboard.core.errors import Invalid
from dashboard.core.i18n import _
from dashboard.job_queue.models import Job
from dashboard.job_queue.services import enqueue
from dashboard.recommendations.messages import TrainRecommender
from jobs.engines.collaborative_filtering import NAMED

# Two trainings at once would only repeat each other; asking again finds the one that is under way.
UNIQUE_KEY = "recommendations.train"


def dismiss(*, user_id: int, item_id: int) -> None:
    """Not interested: the item leaves her lists. Raises NotFound for one she may not see."""
    activity.dismiss(learner_id=user_id, item_id=item_id)


def restore(*, user_id: int, item_id: int) -> None:
    """Take "not interested" back."""
    activity.dismiss(learner_id=user_id, item_id=item_id, undo=True)


def ignore(*, user_id: int, item_id: int) -> None:
    """Leave out what she did with an item: nothing is recommended because of it any more."""
    activity.ignore(learner_id=user_id, item_id=item_id)


def heed(*, user_id: int, item_id: int) -> None:
    """Take "leave out" back."""
    activity.ignore(learner_id=user_id, item_id=item_id, undo=True)


def request_training(*, actor_id: int, model: str = "") -> Job:
    """The job that will train the recommender; the one under way when there is one.

    model: what to serve, by the engine's name; "" is the configured one. Raises Invalid."""
    if model and model not in NAMED:
        raise Invalid(_("There is no model “%(name)s”.", name=model))
    with transaction():
        job = enqueue(
            TrainRecommender(requested_by=actor_id, model=model),
            owner_id=actor_id,
            unique_key=UNIQUE_KEY,
        )
        audit.record(actor_id=actor_id, action="recommendations.train", subject=f"job:{job.id}")
    return job
