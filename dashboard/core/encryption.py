"""Text that is unreadable in the database: encrypted with a key made from the server's secret.

Fernet (AES-128-CBC with HMAC-SHA256). Former secrets still open what they sealed, so that a secret can be
replaced; `reseal` moves a text to the present one.
"""

import base64
import hashlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app

# Keeps these keys apart from others that may be made from the same secret.
PURPOSE = b"atrium sealed text 1"


def seal(text: str) -> str:
    """The text as it may stand in the database; "" stays ""."""
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str | None:
    """The text again, or None when no known secret opens it."""
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def reseal(sealed: str) -> str:
    """The same text sealed with the present secret; unchanged when it cannot be opened."""
    text = unseal(sealed)
    return sealed if text is None else seal(text)


def _box() -> MultiFernet:
    server = current_app.config["ATRIUM"].server
    return _box_of(server.secret_key, server.former_secret_keys)


@cache
def _box_of(secret: str, former: str) -> MultiFernet:
    secrets = [secret, *(each.strip() for each in former.split(","))]
    return MultiFernet([Fernet(_key(each)) for each in secrets if each])


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(PURPOSE + b"\0" + secret.encode()).digest())
