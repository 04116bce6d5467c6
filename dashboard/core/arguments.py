"""What the arguments of the command line are read by."""

import argparse
from collections.abc import Callable

LARGEST = 2**31 - 1
"""What a column of the database holds."""


def count_from(least: int) -> Callable[[str], int]:
    """A reader of whole numbers of at least `least`, for argparse."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= LARGEST:
            raise argparse.ArgumentTypeError(
                f"must be a whole number, {least} or more, not {text!r}"
            )
        return int(text)

    return read
