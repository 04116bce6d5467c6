"""What a check finds out about a video file."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What can be done with the file."""

    READY = "ready"  # browsers play it
    CANNOT_PLAY = "cannot_play"  # a sound video that browsers do not play
    FAILED = "failed"  # not a usable video


class Fault(StrEnum):
    """Why a file is not ready."""

    NOT_A_VIDEO = "not_a_video"
    PLAYLIST = "playlist"
    BROKEN = "broken"
    NO_PICTURE = "no_picture"
    NO_DURATION = "no_duration"
    DIMENSIONS = "dimensions"
    CODEC = "codec"
    CONTAINER = "container"
    CHECK_FAILED = "check_failed"
    MISSING_FILE = "missing_file"


@dataclass(frozen=True, slots=True)
class VideoCheck:
    """The verdict, its reason, and what was found until then."""

    verdict: Verdict
    fault: Fault | None = None
    detail: str = ""
    """Which codec or size, for the sentence that explains the fault."""
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    codec: str = ""
    mime_type: str = "application/octet-stream"
    sha256: str = ""
    has_poster: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "VideoCheck":
        """The same again from what `as_dict` gave."""
        fault = Fault(values["fault"]) if values["fault"] else None
        return cls(**{**values, "verdict": Verdict(values["verdict"]), "fault": fault})


class Unusable(Exception):
    """The file cannot be used as a video; carries the check's answer."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        self.fault = fault
        self.detail = detail[:200]
        super().__init__(fault)
