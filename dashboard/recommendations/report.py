"""Recommendations as plain text, for the command line."""

from dashboard.accounts import queries as accounts
from dashboard.catalogue import queries as catalogue
from dashboard.core.errors import NotFound
from dashboard.core.i18n import _
from dashboard.core.ids import MAX_ID
from dashboard.recommendations import queries, services


def for_user(identity_or_id: str, *, n: int) -> str:
    """The list of one user with its reasons, tab-separated. Raises NotFound for an unknown user."""
    user_id = _user_id(identity_or_id)
    found = services.recommendations_for(user_id, n=n)
    if not found:
        return _("There is nothing to recommend yet.")
    return "\n".join(_line(place, each) for place, each in enumerate(found, start=1))


def similar_to(item: str, *, n: int) -> str:
    """The n items of either kind most similar to one, tab-separated, best first.

    item: its number, the name it was loaded under, or its title. Raises NotFound for an unknown one."""
    of_both_kinds = services.related_items(_item_id(item), n=n)
    found = sorted(of_both_kinds, key=lambda each: -each.score)[:n]
    if not found:
        return _("Nothing is known to be similar to it yet.")
    return "\n".join(
        f"{place}\t{each.item.id}\t{each.score:.3f}\t{each.item.title}\t{each.people_text}"
        for place, each in enumerate(found, start=1)
    )


def _line(place: int, found: services.Recommendation) -> str:
    why = "; ".join(part for part in (found.reason, found.people_text) if part)
    return f"{place}\t{found.item.id}\t{found.score:.3f}\t{found.item.title}\t{why}"


def _user_id(identity_or_id: str) -> int:
    user = accounts.find_by_identity(identity_or_id)
    if user is None and identity_or_id.isdecimal() and int(identity_or_id) <= MAX_ID:
        user = accounts.find_user(int(identity_or_id))
    if user is None:
        raise NotFound(_("There is no user “%(name)s”.", name=identity_or_id))
    return user.id


def _item_id(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= MAX_ID:
        return catalogue.get_item(int(text)).id
    item_id = queries.find_item_id(text)
    if item_id is None:
        raise NotFound(_("There is no item “%(name)s”.", name=text))
    return item_id
