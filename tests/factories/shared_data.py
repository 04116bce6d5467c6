"""Real sample files that are handed out beside the repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("ATRIUM_SHARED_DATA", ROOT.parent / "shared" / "data"))


def shared_data(name: str) -> Path:
    """The file or folder `name` of the sample data; skips where it is absent, but fails in CI."""
    path = FOLDER / name
    if not path.exists():
        reason = f"sample data {name} is not beside the repository (ATRIUM_SHARED_DATA)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path
