"""Showing others: links to a masked result, and the owner's look behind a mask."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from dashboard.analyses import queries
from dashboard.analyses.models import AnalysisState, Reveal, ShareLink, Upload
from dashboard.analyses.services import places
from dashboard.analyses.services.drafts import check_text
from dashboard.audit import services as audit
from dashboard.core.database import session, transaction, utcnow
from dashboard.core.encryption import unseal
from dashboard.core.errors import Conflict, Invalid, NotFound, Problem
from dashboard.core.i18n import _
from dashboard.job_queue.queries import Viewer

MIN_REASON, MAX_REASON = 5, 300


@dataclass(frozen=True)
class Revealed:
    """What an owner wrote, in the clear. None: no known secret opens it."""

    patient_name: str | None
    patient_age: str | None
    file_names: list[str | None]


def reveal_fields(upload_id: int, *, viewer: Viewer, reason: str, address: str = "") -> Revealed:
    """The masked fields of an upload of one's own, for a reason that is noted.

    Raises NotFound, Forbidden for administrators, and Invalid without a reason."""
    text = " ".join(reason.split())
    with transaction():
        upload = queries.require_own(upload_id, viewer)
        if not MIN_REASON <= len(text) <= MAX_REASON:
            message = _("Say why, in 5 to 300 characters.")
            raise Invalid(message, problems=[Problem("reason", message)])
        check_text(text, upload=upload, field="reason")
        session.add(Reveal(upload_id=upload_id, actor_id=viewer.user_id, reason=text))
        audit.record(
            actor_id=viewer.user_id,
            action="analysis.reveal",
            subject=f"analysis:{upload_id}",
            summary=text,
            address=address,
        )
        return Revealed(
            patient_name=unseal(upload.patient_name),
            patient_age=unseal(upload.patient_age),
            file_names=[unseal(file.original_name) for file in upload.files],
        )


def share_result(run_id: int, *, viewer: Viewer) -> str:
    """The secret part of a new link to a result. Raises NotFound, Forbidden, Conflict."""
    token = secrets.token_urlsafe(24)
    with transaction():
        run = queries.get_run(run_id, viewer)
        queries.require_own(run.upload_id, viewer)
        if run.outcome != AnalysisState.DONE:
            raise Conflict(_("This analysis has no result yet."))
        days = places.settings().share_days
        link = ShareLink(
            run_id=run_id,
            token_sha256=hashlib.sha256(token.encode()).hexdigest(),
            expires_at=utcnow() + timedelta(days=days),
        )
        session.add(link)
        _note("share", run.upload_id, viewer, f"run #{run_id}, {days} d")
    return token


def revoke_link(link_id: int, *, viewer: Viewer) -> ShareLink:
    """End a link now. Raises NotFound and Forbidden."""
    with transaction():
        link = session.get(ShareLink, link_id)
        if link is None:
            raise NotFound()
        run = queries.get_run(link.run_id, viewer)
        queries.require_own(run.upload_id, viewer)
        if link.revoked_at is None:
            link.revoked_at = utcnow()
            _note("unshare", run.upload_id, viewer, f"run #{run.id}")
    return link


def patient_of(upload: Upload) -> tuple[str, int | None]:
    """Name and age in the clear, to be kept as they are; never to be shown."""
    age = unseal(upload.patient_age)
    return unseal(upload.patient_name) or "", int(age) if age else None


def note_of(upload: Upload) -> str:
    """The owner's note in the clear; only for the owner's own pages."""
    return unseal(upload.note) or ""


def _note(what: str, upload_id: int, viewer: Viewer, summary: str) -> None:
    audit.record(
        actor_id=viewer.user_id,
        action=f"analysis.{what}",
        subject=f"analysis:{upload_id}",
        summary=summary,
    )
