"""An analyst with mutation tables, and runs that are done here and now."""

from collections.abc import Callable
from functools import partial

import pytest

from dashboard.accounts.models import RoleName, User
from dashboard.analyses.models import Run, Upload
from dashboard.job_queue.queries import Viewer
from jobs.engines.clonal import figures
from tests.factories import analyses


@pytest.fixture
def ana(make_user: Callable[..., User]) -> User:
    return make_user(RoleName.LEARNER, RoleName.ANALYST)


@pytest.fixture
def viewer(ana: User) -> Viewer:
    return Viewer(user_id=ana.id)


@pytest.fixture
def put(viewer: Viewer) -> Callable[..., None]:
    """Puts a table into an upload."""
    return partial(analyses.put_table, viewer=viewer)


@pytest.fixture
def upload(ana: User) -> Upload:
    """Two checked tables of a patient with a name."""
    return analyses.make_upload(ana)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are not about pictures do without them: they take most of the time."""
    monkeypatch.setattr(figures, "write_figures", lambda *_arguments, **_options: [])


@pytest.fixture
def finish(viewer: Viewer) -> Callable[..., Run]:
    """Does the work of a run as the worker's child would."""
    return analyses.finish_run


@pytest.fixture
def start(viewer: Viewer) -> Callable[..., Run]:
    """Starts a quick run of an upload."""
    return analyses.start_run


@pytest.fixture
def done(no_pictures: None, upload: Upload) -> Run:
    """A finished run."""
    return analyses.finish_run(analyses.start_run(upload))
