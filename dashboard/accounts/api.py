"""Tokens and one's own account over the API."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

from flask import request
from flask.views import MethodView
from flask_security import current_user

from dashboard.accounts import limits, queries, services
from dashboard.accounts.models import User
from dashboard.accounts.schemas import AccountSchema, SignInSchema, TokenSchema
from dashboard.core.api import ApiBlueprint

api = ApiBlueprint(
    "accounts_api", __name__, description="Your account, and tokens to sign in with."
)


@api.route("/tokens")
class Tokens(MethodView):
    """API tokens."""

    @limits.per_address
    @limits.per_account
    @api.arguments(SignInSchema)
    @api.response(HTTPStatus.CREATED, TokenSchema)
    @api.alt_response(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")
    @api.alt_response(HTTPStatus.TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new token for the account with this identity and password."""
        try:
            user = services.authenticate(**body, address=request.remote_addr or "")
        except services.SignInFailed:
            limits.note_failure()
            raise
        lifetime = timedelta(days=queries.settings().token_days)
        return {"token": user.get_auth_token(), "expires_at": datetime.now(UTC) + lifetime}


@api.route("/tokens")
class OwnTokens(MethodView):
    """The tokens of whoever asks; an endpoint of its own, since it takes a signed-in user."""

    @api.response(HTTPStatus.NO_CONTENT)
    def delete(self) -> None:
        """End all your tokens, this one too."""
        services.revoke_tokens(current_user.id)


@api.route("/me")
class Me(MethodView):
    """Whoever asks."""

    @api.response(HTTPStatus.OK, AccountSchema)
    def get(self) -> User:
        """Your own account."""
        return cast(User, current_user)
