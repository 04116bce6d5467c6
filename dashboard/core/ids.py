"""Row ids in addresses: whole numbers that every database can hold."""

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

# PostgreSQL's and MariaDB's INTEGER; a larger number names no row, and asking for it would be an error.
MAX_ID = 2**31 - 1


class RowId(IntegerConverter):
    """`<int:...>` that matches ids a row can have; anything else is an unknown address (404)."""

    def __init__(self, map: Map, fixed_digits: int = 0, max: int | None = MAX_ID) -> None:
        super().__init__(map, fixed_digits=fixed_digits, min=1, max=max)


def init_app(app: Flask) -> None:
    """Let `<int:...>` in every address mean a row id; call before routes are added."""
    app.url_map.converters["int"] = RowId
