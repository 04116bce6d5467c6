"""What a learner says about her list, and who asks for a new one for everybody."""

from dashboard.activity import services as activity
from dashboard.audit import services as audit
from dashboard.core.database import transaction
from dashboard.job_queue.models import Job
from dashboard.job_queue.services import enqueue
from dashboard.recommendations.messages import TrainRecommender

# Two trainings at once would only repeat each other; asking again finds the one that is under way.
UNIQUE_KEY = "recommendations.train"


def dismiss(*, user_id: int, item_id: int) -> None:
    """Not interested: the item leaves her lists. Raises NotFound for one she may not see."""
    activity.dismiss(learner_id=user_id, item_id=item_id)


def restore(*, user_id: int, item_id: int) -> None:
    """Take "not interested" back."""
    activity.dismiss(learner_id=user_id, item_id=item_id, undo=True)


def request_training(*, actor_id: int) -> Job:
    """The job that will train the recommender; the one under way when there is one."""
    with transaction():
        job = enqueue(
            TrainRecommender(requested_by=actor_id), owner_id=actor_id, unique_key=UNIQUE_KEY
        )
        audit.record(actor_id=actor_id, action="recommendations.train", subject=f"job:{job.id}")
    return job
