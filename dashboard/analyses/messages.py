"""What this domain queues."""

from dataclasses import dataclass

from jobs.messages import message


@message("analyses.run")
@dataclass(frozen=True)
class RunAnalysis:
    """Find the clones in an upload with the parameters of a run."""

    run_id: int


@message("analyses.tidy")
@dataclass(frozen=True)
class TidyAnalyses:
    """Remove old drafts, and files that nothing belongs to."""
