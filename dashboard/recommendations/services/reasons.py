"""Reasons in words. Other people appear as counts only, and only when there are enough of them."""

from dataclasses import dataclass

from dashboard.activity.models import EventKind
from dashboard.core.i18n import _

# A count of fewer people could tell a reader who they are.
MIN_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """An item of the learner's own history that speaks for a recommended one."""

    item_id: int
    title: str
    kind: EventKind
    share: float
    """Of the score, 0 to 1."""
    by_content: bool = False
    """What is written about the two says more than what people did."""
    n_both: int | None = None
    """How many of the `n_people` who met this item met the recommended one; None: too few to say."""
    n_people: int | None = None

    @property
    def text(self) -> str:
        """The reason as a line below the item."""
        if self.by_content:
            return _("Similar in content to “%(title)s”", title=self.title)
        return _because(self.kind, self.title)

    @property
    def people_text(self) -> str:
        """How many others did the same, or "" when that would point at somebody."""
        return people_text(self.n_both, self.n_people)


def shown_counts(both: int, n: int) -> tuple[int | None, int | None]:
    """The counts as they may be shown: both or neither."""
    return (both, n) if min(both, n) >= MIN_PEOPLE else (None, None)


def people_text(n_both: int | None, n_people: int | None) -> str:
    """The sentence of two counts."""
    if n_both is None or n_people is None:
        return ""
    return _("%(both)s of %(people)s people who did also took this", both=n_both, people=n_people)


def popular_text() -> str:
    """The label of an item that is there because many people take it."""
    return _("Popular")


def pinned_text() -> str:
    """The label of an item that administrators put first."""
    return _("Picked for you")


def _because(kind: EventKind, title: str) -> str:
    if kind == EventKind.FAVOURITE:
        return _("Because you favourited “%(title)s”", title=title)
    if kind == EventKind.RATING:
        return _("Because you rated “%(title)s”", title=title)
    if kind == EventKind.WATCH:
        return _("Because you watched “%(title)s”", title=title)
    if kind == EventKind.DOWNLOAD:
        return _("Because you downloaded “%(title)s”", title=title)
    return _("Because you viewed “%(title)s”", title=title)
