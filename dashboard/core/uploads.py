"""Files that people send: where they are kept and how they come in."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Prepare the upload folders of `app`."""
