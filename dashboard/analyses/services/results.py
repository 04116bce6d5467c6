"""What a finished run made, read from its folder."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile

from dashboard.analyses import queries
from dashboard.analyses.models import AnalysisState, Run
from dashboard.analyses.services import comparing, places
from dashboard.analyses.services.comparing import Comparison
from dashboard.analyses.services.execution import RESULT_FILE
from dashboard.core.errors import Conflict, NotFound
from dashboard.core.i18n import _
from dashboard.job_queue.queries import Viewer
from jobs.engines import clonal
from jobs.engines.clonal import Clustering

# Nine charts of a page ask for the same result one after the other.
KEPT_RESULTS = 4

_lock = Lock()
_loaded: "OrderedDict[Path, Clustering]" = OrderedDict()


def load_result(run: Run) -> Clustering:
    """The clusters of a finished run. Raises Conflict before its end, NotFound when the file is gone."""
    if run.outcome != AnalysisState.DONE:
        raise Conflict(_("This analysis has no result yet."))
    path = places.run_folder(run) / RESULT_FILE
    with _lock:
        if path not in _loaded:
            try:
                _loaded[path] = clonal.load_result(path)
            except (OSError, ValueError, LookupError, EOFError, BadZipFile):
                raise NotFound(_("The result's file is missing. Run the analysis again.")) from None
        _loaded.move_to_end(path)
        while len(_loaded) > KEPT_RESULTS:
            _loaded.popitem(last=False)
        return _loaded[path]


def artefact_path(run: Run, name: str) -> Path:
    """A file that the run made, by its name in the list of artefacts. Raises NotFound."""
    known = {artefact.name for artefact in queries.list_artefacts(run.id)}
    path = places.run_folder(run) / name
    if name not in known or not path.is_file():
        raise NotFound()
    return path


def compare_runs(first_id: int, second_id: int, *, viewer: Viewer) -> Comparison:
    """How two runs that the viewer may see agree. Raises NotFound and Conflict."""
    first, second = (queries.get_run(id, viewer) for id in (first_id, second_id))
    return comparing.compare_results(load_result(first), load_result(second))
