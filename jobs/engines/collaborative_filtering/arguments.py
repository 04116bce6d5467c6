"""Numbers that a command line gives, bounded before anything is read."""

import argparse

# Longer lists say nothing, and a file of them would fill the disk.
LONGEST_LIST = 10_000


class WrongUsage(ValueError):
    """The options do not fit each other or the data."""


def list_length(text: str) -> int:
    """How long lists are: 1 to LONGEST_LIST."""
    return _whole(text, least=1, most=LONGEST_LIST)


def seed(text: str) -> int:
    """Any whole number of 0 or more."""
    return _whole(text, least=0)


def _whole(text: str, *, least: int, most: int = 10**18) -> int:
    plain = text.isascii() and text.isdecimal() and len(text) < 19
    if not (plain and int(text) >= least):
        raise argparse.ArgumentTypeError(f"must be a whole number of {least} or more")
    if int(text) > most:
        raise argparse.ArgumentTypeError(f"must be {most:,} or less")
    return int(text)
