"""`python -m jobs.engines.clonal FILE... --out DIR`: clonal clustering without a portal."""

import argparse
import sys

from jobs.engines.clonal.arguments import add_arguments
from jobs.engines.clonal.commands import run


def main() -> int:
    """Parse the command line and run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="clonal", description="Clonal clustering of mutations.")
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
