"""Which items are shown to whom, and why.

A list is the learner's history as it is now times the neighbours of the current run, so an event
changes the next list. Without the run's file the stored lists answer; without both, popularity.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dashboard.activity.models import EventKind
from dashboard.catalogue import queries as catalogue
from dashboard.catalogue.models import Item
from dashboard.recommendations import queries
from dashboard.recommendations.models import RecommendedItem
from dashboard.recommendations.queries import Signal, Signals
from dashboard.recommendations.services import serving
from dashboard.recommendations.services.reasons import (
    Reason,
    people_text,
    pinned_text,
    popular_text,
    shown_counts,
)
from jobs.engines.collaborative_filtering import CoCount, Suggestion, TrainedModel
from jobs.engines.collaborative_filtering import Reason as EngineReason

# Suggestions asked for beyond those wanted, because some may be drafts by now.
SPARE = 20
# Neighbours looked through for items of both kinds.
N_NEAR = 200


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An item to show, with what speaks for it."""

    item: Item
    score: float
    reasons: tuple[Reason, ...] = ()
    """Largest share first; empty when the item is shown because it is popular."""
    n_both: int | None = None
    """For related items: how many of `n_people` took both; None: too few to say."""
    n_people: int | None = None
    pinned: bool = False
    """An administrator put it first."""

    @property
    def popular(self) -> bool:
        return not self.reasons and not self.pinned

    @property
    def ground(self) -> str:
        """What speaks for the item: pin, behaviour, content or popular."""
        if self.pinned:
            return "pin"
        if not self.reasons:
            return "popular"
        return "content" if self.reasons[0].by_content else "behaviour"

    @property
    def reason(self) -> str:
        """One line that says why."""
        if self.pinned:
            return pinned_text()
        return self.reasons[0].text if self.reasons else popular_text()

    @property
    def people_text(self) -> str:
        """How many others, when that is enough people to be said."""
        if self.reasons:
            return self.reasons[0].people_text
        return people_text(self.n_both, self.n_people)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything of the learner's own that speaks for an item."""

    item: Item
    reasons: tuple[Reason, ...]
    dismissed: bool
    met: bool
    """She met the item herself, so it is not in her list."""
    ignored: tuple[Item, ...] = ()
    """What she left out; newest first."""


def recommendations_for(user_id: int, *, n: int) -> list[Recommendation]:
    """The learner's list, best first: never what she met, rated or dismissed, never drafts."""
    own = serving.signals_of(user_id)
    model = serving.served_to(user_id).model
    rules = serving.ruled(user_id)
    pinned = _pinned(rules.pinned, hidden=own.hidden)[:n]
    hidden = own.hidden | rules.excluded | {each.item.id for each in pinned}
    n_own = n - len(pinned)
    if model is None:
        return pinned + _stored(user_id, own, n=n_own, hidden=hidden)
    history, weights = _history(own.liked)
    how = serving.list_rules(model, history)
    idle = serving.idle_days(model, own)
    left_out = sorted(hidden)
    return pinned + _visible(
        lambda m: model.top_n(
            history, m, exclude=left_out, weights=weights, rules=how, idle_days=idle
        ),
        own,
        n=n_own,
    )


def popular_items(*, n: int) -> list[Recommendation]:
    """What most people take, for visitors and newcomers."""
    model = serving.served_to(None).model
    rules = serving.ruled(None)
    pinned = _pinned(rules.pinned, hidden=frozenset())[:n]
    hidden = rules.excluded | {each.item.id for each in pinned}
    n_own = n - len(pinned)
    if model is None:
        return pinned + _popular_without_run(n=n_own, exclude=hidden)
    how = serving.list_rules(model, [])
    left_out = sorted(hidden)
    return pinned + _visible(lambda m: model.popular(m, exclude=left_out, rules=how), None, n=n_own)


def related_items(
    item_id: int, *, n: int, user_id: int | None = None, drafts: bool = False
) -> list[Recommendation]:
    """Items that people of this item take as well: n of its kind, then up to n of the other kind.

    Where behaviour says too little, items of like content follow. A reader who is signed in sees none that
    she met or dismissed. Raises NotFound for an item that the asker may not see."""
    kind = catalogue.get_item(item_id, drafts=drafts).kind
    model = serving.served_to(user_id).model
    if model is None:
        return []
    hidden = serving.ruled(user_id).excluded
    if user_id is not None:
        hidden |= serving.signals_of(user_id).hidden
    # More for whom much is hidden, so that something is left to show.
    n_near = N_NEAR + len(hidden)
    near = {int(each.id): each.score for each in model.similar_items(item_id, n_near)}
    alike = {int(each.id): 0.0 for each in model.similar_contents(item_id, n_near)}
    scores = alike | near
    ids = [each for each in [*near, *(i for i in alike if i not in near)] if each not in hidden]
    items = catalogue.list_items_by_id(ids)
    same = [item for item in items if item.kind == kind][:n]
    across = [item for item in items if item.kind != kind][:n]
    return [_related(model, item_id, item, scores[item.id]) for item in same + across]


def explain(user_id: int, item_id: int) -> Explanation:
    """What of her own speaks for an item. Raises NotFound for an item she may not see."""
    item = catalogue.get_item(item_id)
    own = serving.signals_of(user_id)
    model = serving.served_to(user_id).model
    # An item is no reason for itself, as when she asks about one she took.
    history, weights = _history(signal for signal in own.liked if signal.item_id != item_id)
    if model is None:
        found = _stored_reasons(user_id, item_id)
    else:
        how = serving.list_rules(model, history)
        idle = serving.idle_days(model, own)
        found = model.explain(history, item_id, weights, rules=how, idle_days=idle)
    titles = queries.titles_of(int(each.item_id) for each in found)
    return Explanation(
        item=item,
        reasons=_reasons(found, own, titles),
        dismissed=item_id in own.dismissed,
        met=item_id in own.hidden and item_id not in own.dismissed,
        ignored=tuple(catalogue.list_items_by_id(list(own.ignored))),
    )


def _history(signals: Iterable[Signal]) -> tuple[list[int], list[float]]:
    """Items and what each of them weighs."""
    pairs = [(signal.item_id, signal.weight) for signal in signals]
    return [item_id for item_id, _ in pairs], [weight for _, weight in pairs]


def _pinned(ids: Iterable[int], *, hidden: frozenset[int]) -> list[Recommendation]:
    wanted = [item_id for item_id in ids if item_id not in hidden]
    items = catalogue.list_items_by_id(wanted)[: serving.MOST_PINS]
    return [Recommendation(item=item, score=0.0, pinned=True) for item in items]


def _visible(
    suggest: Callable[[int], list[Suggestion]], own: Signals | None, *, n: int
) -> list[Recommendation]:
    """The first n suggestions that are published now; asks for more while drafts take places."""
    wanted = n + SPARE
    while True:
        found = suggest(wanted)
        ids = [int(each.item_id) for each in found]
        # The spare ones are loaded only when drafts take places: rows of items are most of the time.
        items = catalogue.list_items_by_id(ids[:n])
        if len(items) < n:
            items += catalogue.list_items_by_id(ids[n:])
        if len(items) >= n or len(found) < wanted:
            return _recommendations(found, items[:n], own)
        wanted *= 2


def _recommendations(
    found: list[Suggestion], items: list[Item], own: Signals | None
) -> list[Recommendation]:
    by_id = {int(each.item_id): each for each in found}
    shown = [(item, by_id[item.id]) for item in items]
    titles = queries.titles_of(int(why.item_id) for _, each in shown for why in each.reasons)
    return [
        Recommendation(
            item=item, score=each.score, reasons=_reasons(each.reasons, own, titles) if own else ()
        )
        for item, each in shown
    ]


def _reasons(
    found: Iterable[EngineReason], own: Signals, titles: dict[int, str]
) -> tuple[Reason, ...]:
    """Reasons in the learner's terms; one whose item is no longer published is not named."""
    kinds = {signal.item_id: signal.kind for signal in own.liked}
    return tuple(
        _reason(each, kinds.get(int(each.item_id), EventKind.VIEW), titles[int(each.item_id)])
        for each in found
        if int(each.item_id) in titles
    )


def _reason(found: EngineReason, kind: EventKind, title: str) -> Reason:
    n_both, n_people = shown_counts(found.counts.both, found.counts.n)
    return Reason(
        item_id=int(found.item_id),
        title=title,
        kind=kind,
        share=found.share,
        by_content=found.by_content,
        n_both=n_both,
        n_people=n_people,
    )


def _related(model: TrainedModel, item_id: int, item: Item, score: float) -> Recommendation:
    counts = model.co_counts(item_id, item.id) or CoCount(both=0, n=0)
    n_both, n_people = shown_counts(counts.both, counts.n)
    return Recommendation(item=item, score=score, n_both=n_both, n_people=n_people)


def _stored(user_id: int, own: Signals, *, n: int, hidden: frozenset[int]) -> list[Recommendation]:
    """The list of the last run's rows, topped up with popular items."""
    rows = [row for row in queries.list_stored(user_id) if row.item_id not in hidden]
    found = [_suggestion(row) for row in rows]
    items = catalogue.list_items_by_id([row.item_id for row in rows])[:n]
    shown = _recommendations(found, items, own)
    taken = hidden | {item.id for item in items}
    return shown + _popular_without_run(n=n - len(shown), exclude=taken)


def _suggestion(row: RecommendedItem) -> Suggestion:
    return Suggestion(item_id=row.item_id, score=row.score, reasons=_row_reasons(row))


def _row_reasons(row: RecommendedItem) -> tuple[EngineReason, ...]:
    if row.reason_item_id is None:
        return ()
    counts = CoCount(both=row.n_both, n=row.n_people)
    return (EngineReason(item_id=row.reason_item_id, share=1.0, counts=counts),)


def _stored_reasons(user_id: int, item_id: int) -> list[EngineReason]:
    rows = [row for row in queries.list_stored(user_id) if row.item_id == item_id]
    return [reason for row in rows for reason in _row_reasons(row)]


def _popular_without_run(*, n: int, exclude: Iterable[int]) -> list[Recommendation]:
    if n <= 0:
        return []
    items = catalogue.list_items_by_id(queries.list_popular_ids(limit=n, exclude=exclude))
    return [Recommendation(item=item, score=0.0) for item in items]
