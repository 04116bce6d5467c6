"""Create or migrate the database: `python3 database_init.py`, the same as `run.py check --create`."""

import sys

from run import main

if __name__ == "__main__":
    sys.exit(main(["check", "--create"]))
