"""What deployments may reserve of the machine, and what they have reserved."""

import os
from dataclasses import dataclass

from sqlalchemy import select

from dashboard.accounts.models import Role, RoleName
from dashboard.core.database import session
from dashboard.core.errors import Conflict, Problem
from dashboard.core.i18n import _
from dashboard.serving import queries
from dashboard.serving.models import (
    Deployment,
)

# Of the machine's memory, what may be reserved: the portal itself needs some.
MEMORY_SHARE = 0.8


class OverReserved(Conflict):
    """The machine has not that much left."""

    code = "over_reserved"


@dataclass(frozen=True, slots=True)
class Machine:
    """What may be reserved in all, and what is."""

    cpus: float
    memory_mb: int
    reserved_cpus: float
    reserved_memory_mb: int


def machine(*, besides: int | None = None) -> Machine:
    """What there is to reserve, and what running deployments (but for one) have reserved."""
    limits = queries.settings()
    cpus, memory_mb = queries.reserved(besides=besides)
    physical_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return Machine(
        cpus=float(limits.cpus or len(os.sched_getaffinity(0))),
        memory_mb=limits.memory_mb or int(physical_mb * MEMORY_SHARE),
        reserved_cpus=cpus,
        reserved_memory_mb=memory_mb,
    )


def check_reservation(deployment: Deployment) -> None:
    """Raise OverReserved unless it fits. The deployment is written already: SQLite's one write lock is taken."""
    if deployment.paused:
        return
    # On a server: two that do not see each other must not both get the last free CPU. This row is always there.
    session.execute(select(Role.id).where(Role.name == RoleName.ANALYST).with_for_update())
    there = machine(besides=deployment.id)
    problems = []
    cpus = deployment.cpus * deployment.replicas
    if there.reserved_cpus + cpus > there.cpus + 1e-9:
        free = max(0.0, there.cpus - there.reserved_cpus)
        text = _(
            "%(wanted)s CPUs in all; %(free)s of %(all)s are free.",
            wanted=f"{cpus:g}",
            free=f"{free:g}",
            all=f"{there.cpus:g}",
        )
        problems.append(Problem("cpus", text))
    memory_mb = deployment.memory_mb * deployment.replicas
    if there.reserved_memory_mb + memory_mb > there.memory_mb:
        text = _(
            "%(wanted)s MiB in all; %(free)s of %(all)s are free.",
            wanted=memory_mb,
            free=max(0, there.memory_mb - there.reserved_memory_mb),
            all=there.memory_mb,
        )
        problems.append(Problem("memory_mb", text))
    if problems:
        message = _("The machine has not that much left to reserve.")
        raise OverReserved(message, problems=problems)
