"""What identifies a person: an email address, a phone number or a username, each in one stored spelling.

The three have shapes that exclude each other (an @; no letter; a letter and no @), so that nobody can take
as username what another signs in with as phone number.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import email_validator
import phonenumbers

from dashboard.core.i18n import lazy

USER_NAME_LENGTHS = range(2, 31)
EMAIL_MAX_LENGTH = 254
NICKNAME_MAX_LENGTH = 64
# Latin letters, Chinese characters, digits and . _ -: a name of mixed alphabets could pass for another's.
_USER_NAME = re.compile(r"[a-z0-9._\-\u3400-\u4dbf\u4e00-\u9fff]+")
_LETTER = re.compile(r"[^\W\d_]")


class IdentityKind(StrEnum):
    """The kinds of identity; each is the name of its column."""

    EMAIL = "email"
    PHONE = "phone"
    USER_NAME = "user_name"


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity in its stored spelling."""

    kind: IdentityKind
    value: str


class BadIdentity(ValueError):
    """The text cannot be an identity of the wanted kind; `message` says why."""

    def __init__(self, message: Any) -> None:
        super().__init__(str(message))
        self.message = str(message)


def identify(text: str, *, region: str) -> Identity | None:
    """The identity that `text` spells in any usual way, or None when it can be nobody's."""
    kind = kind_of(text)
    try:
        return Identity(kind, normalise(kind, text, region=region))
    except BadIdentity:
        return None


def kind_of(text: str) -> IdentityKind:
    """Which kind of identity `text` looks like."""
    text = _plain(text)
    if "@" in text:
        return IdentityKind.EMAIL
    return IdentityKind.USER_NAME if _LETTER.search(text) else IdentityKind.PHONE


def normalise(kind: IdentityKind, text: str, *, region: str) -> str:
    """The stored spelling of an identity of `kind`; raises BadIdentity."""
    if kind is IdentityKind.EMAIL:
        return normalise_email(text)
    if kind is IdentityKind.PHONE:
        return normalise_phone(text, region=region)
    return normalise_user_name(text)


def normalise_email(text: str) -> str:
    """The address in lower case; raises BadIdentity."""
    try:
        checked = email_validator.validate_email(_plain(text), check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        raise BadIdentity(lazy("This is not a valid email address.")) from error
    address = checked.normalized.lower()
    if len(address) > EMAIL_MAX_LENGTH:
        raise BadIdentity(lazy("This is not a valid email address."))
    return address


def normalise_phone(text: str, *, region: str) -> str:
    """The number as E.164; one without a country code is of `region`. Raises BadIdentity."""
    text = _plain(text)
    message = lazy(
        "This is not a valid phone number. Write one of another country with + and its code."
    )
    if _LETTER.search(text):
        # phonenumbers reads letters as on an old telephone's keys.
        raise BadIdentity(message)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise BadIdentity(message) from error
    if not phonenumbers.is_valid_number(number):
        raise BadIdentity(message)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalise_user_name(text: str) -> str:
    """The name in one spelling of its letters, lower case; raises BadIdentity."""
    name = _plain(text).casefold()
    if "@" in name:
        raise BadIdentity(lazy("A username cannot look like an email address."))
    if name and not _LETTER.search(name):
        raise BadIdentity(lazy("A username needs a letter; it cannot look like a phone number."))
    if len(name) not in USER_NAME_LENGTHS:
        raise BadIdentity(lazy("A username has 2 to 30 characters."))
    if not _USER_NAME.fullmatch(name):
        raise BadIdentity(
            lazy("A username is made of the letters a to z, Chinese characters, digits and . _ -")
        )
    return name


def normalise_nickname(text: str) -> str:
    """The display name without control characters and needless spaces; raises BadIdentity."""
    name = "".join(c for c in unicodedata.normalize("NFC", text) if not _is_control(c))
    name = " ".join(name.split())
    if len(name) > NICKNAME_MAX_LENGTH:
        raise BadIdentity(lazy("A display name has at most 64 characters."))
    return name


def _plain(text: str) -> str:
    # NFKC makes full-width and other look-alike forms of a character the character itself.
    return unicodedata.normalize("NFKC", text).strip()


def _is_control(character: str) -> bool:
    # Cc and Cf hold what is not seen: NUL, and marks that turn the writing direction. Joiners of emoji stay.
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in "\t\n\u200d"
