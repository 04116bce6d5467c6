"""The file that came with a form."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from flask import request

from dashboard.core.errors import Invalid, Problem
from dashboard.core.i18n import _


@contextmanager
def chosen_file(field: str) -> Iterator[tuple[BinaryIO, str]]:
    """The file sent in `field`, and its name. Raises Invalid when there is none."""
    sent = request.files.get(field)
    if sent is None or not sent.filename:
        message = _("Choose a file first.")
        raise Invalid(message, problems=[Problem(field, message)])
    yield cast(BinaryIO, sent.stream), sent.filename
