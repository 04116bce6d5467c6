"""Use cases: upload, check, describe, run, look at, share, reveal, tidy."""

from dashboard.analyses.services.checking import check_upload, repaired
from dashboard.analyses.services.comparing import Comparison
from dashboard.analyses.services.drafts import (
    create_sample,
    create_upload,
    delete_upload,
    describe_upload,
)
from dashboard.analyses.services.engines import offered_engines
from dashboard.analyses.services.execution import execute
from dashboard.analyses.services.files import (
    add_file,
    append_file,
    begin_file,
    cancel_file,
    remove_file,
    resume_file,
)
from dashboard.analyses.services.pictures import picture, report
from dashboard.analyses.services.places import settings
from dashboard.analyses.services.results import artefact_path, compare_runs, load_result
from dashboard.analyses.services.running import (
    cancel_analysis,
    choice_of,
    config_of,
    engine_of,
    mark_seen,
    parameters_of,
    reproduce_analysis,
    retry_analysis,
    start_analysis,
)
from dashboard.analyses.services.sharing import (
    Revealed,
    note_of,
    patient_of,
    reveal_fields,
    revoke_link,
    share_result,
)
from dashboard.analyses.services.tidying import tidy

__all__ = [
    "Comparison",
    "Revealed",
    "add_file",
    "append_file",
    "artefact_path",
    "begin_file",
    "cancel_analysis",
    "cancel_file",
    "check_upload",
    "choice_of",
    "compare_runs",
    "config_of",
    "create_sample",
    "create_upload",
    "delete_upload",
    "describe_upload",
    "engine_of",
    "execute",
    "load_result",
    "mark_seen",
    "note_of",
    "offered_engines",
    "parameters_of",
    "patient_of",
    "picture",
    "remove_file",
    "repaired",
    "report",
    "reproduce_analysis",
    "resume_file",
    "retry_analysis",
    "reveal_fields",
    "revoke_link",
    "settings",
    "share_result",
    "start_analysis",
    "tidy",
]
