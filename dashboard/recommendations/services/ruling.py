"""What administrators rule about lists: pins, exclusions, variety, popularity, content."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.accounts.models import RoleName
from dashboard.audit import services as audit
from dashboard.catalogue import queries as catalogue
from dashboard.core.database import session, transaction
from dashboard.core.errors import Invalid, NotFound, Problem
from dashboard.core.i18n import LOCALES, _
from dashboard.recommendations import queries
from dashboard.recommendations.models import ListSettings, RecommendationRule, RuleEffect

NUMBERS = ("diversity", "penalty", "content")


@dataclass(frozen=True, slots=True)
class RuleFields:
    """What a rule says."""

    effect: str
    item_id: int
    audience: str = ""
    language: str = ""
    ends_at: datetime | None = None
    note: str = ""

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def create_rule(fields: RuleFields, *, actor_id: int) -> RecommendationRule:
    """Put an item first or leave it out. Raises Invalid."""
    _check(fields)
    with transaction():
        rule = RecommendationRule(**fields.values())
        session.add(rule)
        session.flush()
        audit.record(
            actor_id=actor_id,
            action="recommendation_rule.create",
            subject=f"recommendation_rule:{rule.id}",
            changes=audit.difference({}, _shown(fields)),
        )
    return rule


def update_rule(rule_id: int, fields: RuleFields, *, actor_id: int) -> RecommendationRule:
    """Change a rule. Raises Invalid and NotFound."""
    _check(fields)
    rule = queries.get_rule(rule_id)
    before = {name: getattr(rule, name) for name in fields.values()}
    with transaction():
        for name, value in fields.values().items():
            setattr(rule, name, value)
        audit.record(
            actor_id=actor_id,
            action="recommendation_rule.update",
            subject=f"recommendation_rule:{rule.id}",
            changes=audit.difference(_plain(before), _shown(fields)),
        )
    return rule


def delete_rule(rule_id: int, *, actor_id: int) -> None:
    """Take a rule back. Raises NotFound."""
    rule = queries.get_rule(rule_id)
    with transaction():
        session.delete(rule)
        audit.record(
            actor_id=actor_id,
            action="recommendation_rule.delete",
            subject=f"recommendation_rule:{rule_id}",
            summary=f"{rule.effect} {rule.item_id}",
        )


def set_list_settings(
    *,
    diversity: float,
    penalty: float,
    content: float,
    own_language_first: bool,
    actor_id: int,
) -> ListSettings:
    """How lists are made from now on. Raises Invalid for a number outside 0 to 1."""
    values = {"diversity": diversity, "penalty": penalty, "content": content}
    # Written so that NaN is refused as well.
    wrong = [name for name, value in values.items() if not 0 <= value <= 1]
    if wrong:
        message = _("This must be a number from 0 to 1.")
        raise Invalid(message, problems=[Problem(name, message) for name in wrong])
    wanted: dict[str, Any] = {**values, "own_language_first": own_language_first}
    settings = queries.get_settings()
    before = {name: getattr(settings, name) for name in wanted}
    with transaction():
        for name, value in wanted.items():
            setattr(settings, name, value)
        session.add(settings)
        audit.record(
            actor_id=actor_id,
            action="recommendations.set_list_settings",
            changes=audit.difference(before, wanted),
        )
    return settings


def _check(fields: RuleFields) -> None:
    problems = []
    if fields.effect not in list(RuleEffect):
        problems.append(Problem("effect", _("This is not one of the choices.")))
    if fields.audience not in ["", *RoleName]:
        problems.append(Problem("audience", _("This is not one of the choices.")))
    if fields.language not in ["", *LOCALES]:
        problems.append(Problem("language", _("This is not one of the choices.")))
    try:
        catalogue.get_item(fields.item_id, drafts=True)
    except NotFound:
        problems.append(Problem("item_id", _("There is no such course or position.")))
    if problems:
        raise Invalid(problems=problems)


def _shown(fields: RuleFields) -> dict[str, Any]:
    return _plain(fields.values())


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
