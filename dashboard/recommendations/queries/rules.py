"""What administrators rule about lists, and what is written about the items in them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from dashboard.accounts.models import Role, user_role
from dashboard.catalogue.models import Item, ItemStatus, Tag, item_tag
from dashboard.core.database import session, utcnow
from dashboard.core.errors import NotFound
from dashboard.recommendations.models import ListSettings, RecommendationRule, RuleEffect
from jobs.engines.collaborative_filtering import ItemContent

SETTINGS_ID = 1


@dataclass(frozen=True, slots=True)
class Ruled:
    """The rules that hold for one reader."""

    pinned: tuple[int, ...] = ()
    """Items to put first, the oldest rule first."""
    excluded: frozenset[int] = frozenset()


def get_settings() -> ListSettings:
    """How lists are made; the defaults when nobody set anything."""
    stored = session.get(ListSettings, SETTINGS_ID)
    return stored or ListSettings(
        id=SETTINGS_ID, diversity=0.1, penalty=0.0, content=0.2, own_language_first=True
    )


def get_rule(rule_id: int) -> RecommendationRule:
    """The rule. Raises NotFound."""
    rule = session.get(RecommendationRule, rule_id)
    if rule is None:
        raise NotFound()
    return rule


def ruled_for(*, roles: Collection[str], language: str) -> Ruled:
    """The rules for a reader with these roles (none: a visitor) who reads in this language."""
    query = (
        select(RecommendationRule.item_id, RecommendationRule.effect)
        .where(
            RecommendationRule.audience.in_(["", *roles]),
            RecommendationRule.language.in_(["", language]),
            or_(RecommendationRule.ends_at.is_(None), RecommendationRule.ends_at > utcnow()),
        )
        .order_by(RecommendationRule.id)
    )
    rows = session.execute(query).all()
    excluded = frozenset(item for item, effect in rows if effect == RuleEffect.EXCLUDE)
    pinned = dict.fromkeys(item for item, effect in rows if effect == RuleEffect.PIN)
    return Ruled(tuple(item for item in pinned if item not in excluded), excluded)


def roles_of(user_id: int) -> list[str]:
    """The names of the roles that a user has."""
    query = (
        select(Role.name)
        .join(user_role, user_role.c.role_id == Role.id)
        .where(user_role.c.user_id == user_id)
    )
    return list(session.scalars(query))


def load_catalogue() -> dict[int | str, ItemContent]:
    """What is written about every published item."""
    tags: dict[int, list[str]] = {}
    query = select(item_tag.c.item_id, Tag.key).join(Tag, Tag.id == item_tag.c.tag_id)
    for item_id, key in session.execute(query.order_by(item_tag.c.item_id, Tag.key)):
        tags.setdefault(item_id, []).append(key)
    items = select(Item.id, Item.title, Item.summary, Item.language).where(
        Item.status == ItemStatus.PUBLISHED
    )
    return {
        item_id: ItemContent(f"{title} {summary}", tuple(tags.get(item_id, ())), language)
        for item_id, title, summary, language in session.execute(items)
    }


def find_item_id(name: str) -> int | None:
    """The published item of this external id, or else of this very title; the oldest of several."""
    published = select(Item.id).where(Item.status == ItemStatus.PUBLISHED).order_by(Item.id)
    by_name = session.scalar(published.where(Item.external_id == name).limit(1))
    return by_name or session.scalar(published.where(Item.title == name).limit(1))


def catalogue_changed_at() -> datetime | None:
    """When an item was last changed."""
    return session.scalar(select(func.max(Item.updated_at)))
