"""The model service's engine: understand, check and score PMML and ONNX models; knows no portal, queue or database.

    inspect_file(path, timeout_s=, memory_bytes=) -> Inspection(description, sample_record, sample_outputs)
                                        raises RefusedModel(reason, code); nothing of the file runs in this process
    ModelDescription                    .to_json() / .from_json(); .inputs, .outputs, .targets are tuples of Field
    Field                               name, type, optype, values, intervals, dimension, shape, missing, omittable,
                                        range_text
    sample_record(description)          a record that passes validate
    validate(description, records)      -> [Problem(row, field, code, expected, value)], empty when all is well
    parse_request(body, description)    -> Request(records, outputs); records and split forms; raises InvalidInput
    read_rows(path, description)        records of a CSV or JSON file; record_maker(header, description) for others
    Script(source).run(records)         the preprocessing sandbox; raises ScriptFailed(message, line, code)
    Supervisor(folder), Wanted(...)     the replicas of deployments: .start(), .apply([Wanted]), .status(), .stop()
    ReplicaClient(folder).call(key, body, timeout_s=)       -> Reply(status, body, ms); AsyncReplicaClient: the same,
                                        awaited; folder: socket_folder(data_dir); raise NoReplica, ReplicaLost,
                                        ReplicaTimeout; body: JSON bytes in any form of parse_request
    documented(description, ...)        the description in the words of getmodelinfo

Importing the package is cheap: the engines' libraries are loaded in the processes that open a model.
"""

from jobs.engines.scoring.async_client import AsyncReplicaClient
from jobs.engines.scoring.checking import Checker, validate
from jobs.engines.scoring.client import ReplicaClient
from jobs.engines.scoring.description import (
    Field,
    Interval,
    ModelDescription,
    documented,
    documented_field,
)
from jobs.engines.scoring.errors import (
    InvalidInput,
    OutOfMemory,
    OutOfTime,
    PredictionFailed,
    Problem,
    RefusedModel,
    ScoringError,
)
from jobs.engines.scoring.frames import (
    NoReplica,
    ReplicaError,
    ReplicaLost,
    ReplicaTimeout,
    Reply,
    Status,
    socket_folder,
)
from jobs.engines.scoring.inputs import (
    Request,
    parse_request,
    read_csv_text,
    read_rows,
    record_maker,
    request_of,
)
from jobs.engines.scoring.inspection import Inspection, inspect_file
from jobs.engines.scoring.prepare import Script, ScriptFailed, ScriptLimits
from jobs.engines.scoring.samples import sample_record
from jobs.engines.scoring.scorer import Scored, Scorer
from jobs.engines.scoring.supervisor import Health, Standing, Supervisor, Wanted

__all__ = [
    "AsyncReplicaClient",
    "Checker",
    "Field",
    "Health",
    "Inspection",
    "Interval",
    "InvalidInput",
    "ModelDescription",
    "NoReplica",
    "OutOfMemory",
    "OutOfTime",
    "PredictionFailed",
    "Problem",
    "RefusedModel",
    "ReplicaClient",
    "ReplicaError",
    "ReplicaLost",
    "ReplicaTimeout",
    "Reply",
    "Request",
    "Scored",
    "Scorer",
    "ScoringError",
    "Script",
    "ScriptFailed",
    "ScriptLimits",
    "Standing",
    "Status",
    "Supervisor",
    "Wanted",
    "documented",
    "documented_field",
    "inspect_file",
    "parse_request",
    "read_csv_text",
    "read_rows",
    "record_maker",
    "request_of",
    "sample_record",
    "socket_folder",
    "validate",
]
