"""A small model of the demo, deployed: whether a course suits somebody."""

from pathlib import Path

from dashboard.serving import services
from dashboard.serving.queries import Viewer

TREE = Path(__file__).resolve().parent / "data" / "models" / "course-fit.pmml"


def deploy_tree(analyst_id: int) -> None:
    """Add the tree to the analyst's models, and deploy it."""
    owner = Viewer(user_id=analyst_id)
    model = services.add_model(
        TREE,
        original_name=TREE.name,
        name="Course fit",
        description="Whether a course suits somebody, by time, practice and level. Made for the demo.",
        viewer=owner,
    )
    services.deploy_model(
        model.id, name="course-fit", viewer=owner, cpus=0.25, memory_mb=384, timeout_s=10.0
    )
