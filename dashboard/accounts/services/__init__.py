"""What can be done with accounts; one public function is one use case and one transaction."""

from dashboard.accounts.services.administration import (
    create_user,
    delete_user,
    set_active,
    set_password,
    set_roles,
    update_user,
)
from dashboard.accounts.services.profile import change_password, update_profile
from dashboard.accounts.services.registration import register
from dashboard.accounts.services.sign_in import (
    SignInFailed,
    authenticate,
    check_password,
    create_token,
    end_other_sessions,
    end_session,
    revoke_tokens,
    start_session,
)

__all__ = [
    "SignInFailed",
    "authenticate",
    "change_password",
    "check_password",
    "create_token",
    "create_user",
    "delete_user",
    "end_other_sessions",
    "end_session",
    "register",
    "revoke_tokens",
    "set_active",
    "set_password",
    "set_roles",
    "start_session",
    "update_profile",
    "update_user",
]
