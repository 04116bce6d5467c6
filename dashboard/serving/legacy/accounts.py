"""R150 and R151: signing in and registering, answered by a bare word."""

from dashboard.accounts import queries as accounts
from dashboard.accounts import services
from dashboard.core.errors import Conflict
from dashboard.serving.legacy.blueprint import (
    DUPLICATION,
    SUCCESS,
    Refused,
    endpoint,
    parameter,
    signed_in,
)


@endpoint("/login", methods=["POST"])
def login() -> str:
    """'success', 'user not found' or 'invalid password'."""
    try:
        signed_in()
    except Refused as refusal:
        return refusal.status
    return SUCCESS


@endpoint("/register", methods=["POST"])
def register() -> str:
    """'success' or 'duplication'; other rules of accounts are answered as problem JSON would be."""
    name, password = parameter("uesr", "user"), parameter("password")
    if accounts.find_by_identity(name) is not None:
        return DUPLICATION
    if not accounts.settings().registration_open:
        return "registration closed"
    email = "@" in name
    try:
        services.register(
            password=password,
            email=name if email else None,
            user_name=None if email else name,
        )
    except Conflict:
        return DUPLICATION
    return SUCCESS
