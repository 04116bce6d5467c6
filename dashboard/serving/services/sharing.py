"""With whom models are shared."""

from dashboard.accounts import queries as accounts
from dashboard.accounts.models import RoleName
from dashboard.core.database import session, transaction
from dashboard.core.errors import Forbidden, Invalid, Problem
from dashboard.core.i18n import _
from dashboard.serving import queries
from dashboard.serving.models import (
    ModelRight,
    Right,
)
from dashboard.serving.queries import Viewer
from dashboard.serving.services.registry import audit_model


def share_model(model_id: int, *, identity: str, right: str, viewer: Viewer) -> ModelRight:
    """Let somebody else view, use or manage a model. Raises Invalid, and Forbidden unless it is one's own."""
    with transaction():
        model = queries.get_model(model_id, viewer)
        if not queries.owns(viewer, model):
            raise Forbidden()
        if right not in tuple(Right):
            raise _invalid("right", _("Choose what this person may do."))
        user = accounts.find_by_identity(identity)
        # One answer for strangers and for those without the role: nobody learns here who has an account.
        if (
            user is None
            or not user.active
            or not {RoleName.ANALYST, RoleName.ADMIN} & {role.name for role in user.roles}
        ):
            raise _invalid("identity", _("No analyst has this name, e-mail or phone number."))
        if user.id == model.owner_id:
            raise _invalid("identity", _("This person owns the model already."))
        granted = session.get(ModelRight, (model.id, user.id))
        before = granted.right if granted else None
        if granted is None:
            granted = ModelRight(model_id=model.id, user_id=user.id, right=right)
            session.add(granted)
        granted.right = right
        audit_model(viewer, "model.share", model, changes={f"user:{user.id}": [before, right]})
    return granted


def unshare_model(model_id: int, *, user_id: int, viewer: Viewer) -> None:
    """Take somebody's rights to a model away."""
    with transaction():
        model = queries.get_model(model_id, viewer)
        if not queries.owns(viewer, model):
            raise Forbidden()
        granted = session.get(ModelRight, (model.id, user_id))
        if granted is not None:
            audit_model(
                viewer, "model.unshare", model, changes={f"user:{user_id}": [granted.right, None]}
            )
            session.delete(granted)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, problems=[Problem(field, message)])
