"""Text that is unreadable in the database: encrypted with a key made from the server's secret.

Fernet (AES-128-CBC with HMAC-SHA256). Former secrets still open what they sealed, so that a secret can be
replaced; `reseal` moves what the database holds to the present one. Columns of sealed text are marked with
`info=SEALED`.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy import Column, Table, select, update

from dashboard.core.database import db, session

# Keeps these keys apart from others that may be made from the same secret.
PURPOSE = b"atrium sealed text 1"
SEALED = {"sealed": True}
_ROWS_AT_ONCE = 500


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


def reseal() -> tuple[int, int]:
    """Seal every sealed text of the database with the present secret; commits as it goes.

    Returns how many were sealed anew, and how many no known secret opens: these stay as they are.
    """
    n_sealed = n_closed = 0
    for table, column in _sealed_columns():
        (key,) = table.primary_key.columns
        last = None
        while True:
            query = select(key, column).where(column != "").order_by(key).limit(_ROWS_AT_ONCE)
            rows = session.execute(query if last is None else query.where(key > last)).all()
            if not rows:
                break
            last = rows[-1][0]
            for number, sealed in rows:
                text = unseal(sealed)
                if text is None:
                    n_closed += 1
                    continue
                # Only what was read: a text changed meanwhile is sealed with the present secret already.
                unchanged = update(table).where(key == number, column == sealed)
                session.execute(unchanged.values({column.key: seal(text)}))
                n_sealed += 1
            session.commit()
    return n_sealed, n_closed


def _sealed_columns() -> Iterator[tuple[Table, Column[str]]]:
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if column.info.get("sealed"):
                yield table, column


def _box() -> MultiFernet:
    server = current_app.config["ATRIUM"].server
    return _box_of(server.secret_key, server.former_secret_keys)


@cache
def _box_of(secret: str, former: str) -> MultiFernet:
    secrets = [secret, *(each.strip() for each in former.split(","))]
    return MultiFernet([Fernet(_key(each)) for each in secrets if each])


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(PURPOSE + b"\0" + secret.encode()).digest())
