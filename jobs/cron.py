"""Cron expressions: the five fields of crontab(5), in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
SEARCH_DAYS = 366 * 8 + 1
"""The 29th of February comes every eight years at the rarest."""


class BadCron(ValueError):
    """The expression cannot be read, or names no moment."""


@dataclass(frozen=True, slots=True)
class Cron:
    """When something recurs."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """Both day and weekday are limited; as in crontab(5) it is enough that one fits."""

    def next_after(self, moment: datetime) -> datetime:
        """The first time after `moment`; BadCron when there is none."""
        start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = start.replace(hour=0, minute=0)
        for _ in range(SEARCH_DAYS):
            if self._falls_on(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        found = day.replace(hour=hour, minute=minute)
                        if found >= start:
                            return found
            day += timedelta(days=1)
        raise BadCron("this never comes")

    def _falls_on(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        fits = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
        return any(fits) if self.either_day else all(fits)


def parse(expression: str) -> Cron:
    """The meaning of "minute hour day month weekday"; BadCron says what is wrong."""
    parts = expression.split()
    if len(parts) != len(FIELDS):
        raise BadCron(f"{expression!r} has {len(parts)} fields instead of {len(FIELDS)}")
    minutes, hours, days, months, weekdays = (
        _field(part, name, low, high) for part, (name, low, high) in zip(parts, FIELDS, strict=True)
    )
    return Cron(
        minutes,
        hours,
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
    )


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        try:
            first, last = _span(span, low, high)
            if slash and span != "*" and "-" not in span:
                last = high  # "5/15" is every 15 from 5 on
            every = int(step) if slash else 1
        except ValueError:
            raise BadCron(f"{name}: {part!r} is not a number, a range or a step") from None
        if not low <= first <= last <= high or every < 1:
            raise BadCron(f"{name}: {part!r} is not within {low} to {high}")
        found |= set(range(first, last + 1, every))
    return frozenset(found)


def _span(text: str, low: int, high: int) -> tuple[int, int]:
    if text == "*":
        return low, high
    first, dash, last = text.partition("-")
    return int(first), int(last if dash else first)
