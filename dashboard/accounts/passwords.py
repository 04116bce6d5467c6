"""Passwords: which are accepted, how they are kept and compared (argon2)."""

import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache

import flask_security

from dashboard.core.i18n import _

# Long passphrases are welcome; megabytes of text are not.
MAX_LENGTH = 256
# Shorter parts of a name are no reason to refuse a password that holds them.
MIN_WORD_LENGTH = 4


def normalise(password: str) -> str:
    """The password as it is hashed: the same characters typed on another system give the same text."""
    return unicodedata.normalize("NFKC", password)


def fault_of(password: str, *, min_length: int, words: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, or None. `words`: names of its owner, too easy to guess."""
    password = normalise(password)
    if len(password) < min_length:
        return _("A password has at least %(n)s characters.", n=min_length)
    if len(password) > MAX_LENGTH:
        return _("A password has at most %(n)s characters.", n=MAX_LENGTH)
    folded = password.casefold()
    if folded in common_passwords() or len(set(folded)) < 3:
        return _("This password is one of the most common ones. Please choose another.")
    if any(folded == word.casefold() for word in words if len(word) >= MIN_WORD_LENGTH):
        return _("The password must differ from your name, email address and phone number.")
    return None


def hash_password(password: str) -> str:
    """What to store of a password."""
    return str(flask_security.hash_password(normalise(password)))


def matches(password: str, stored: str | None) -> bool:
    """Whether `password` is the one whose hash is `stored`.

    Takes as long without a hash, so that an answer's delay does not tell whether an account exists.
    """
    password = normalise(password)[: MAX_LENGTH + 1]
    same = flask_security.verify_password(password, stored or _decoy())
    return bool(same and stored)


@cache
def common_passwords() -> frozenset[str]:
    """Passwords that everybody tries first: 30,000 of leaked lists, lower case."""
    # Imported late: the lists take a moment to load, and few processes ever ask.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


@cache
def _decoy() -> str:
    return hash_password(secrets.token_hex(16))
