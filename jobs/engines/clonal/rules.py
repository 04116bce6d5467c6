"""What can be wrong with a mutation table: each rule with its sentence and its remedy.

Sentences are templates over `Problem.details`, so that a page can translate them by their rule."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

PROBLEMS_SHOWN = 50
VALUE_SHOWN = 60


class Rule(StrEnum):
    """The rules of both layouts; the value is stable and safe to store."""

    NOT_FOUND = "not_found"
    NOT_TEXT = "not_text"
    EMPTY = "empty"
    NO_ROWS = "no_rows"
    MISSING_COLUMN = "missing_column"
    COLUMN_TWICE = "column_twice"
    FIELD_COUNT = "field_count"
    LINE_TOO_LONG = "line_too_long"
    NAME_TOO_LONG = "name_too_long"
    BLANK = "blank"
    NOT_WHOLE = "not_whole"
    NOT_NUMBER = "not_number"
    NEGATIVE = "negative"
    TOO_LARGE = "too_large"
    NORMAL_ZERO = "normal_zero"
    MINOR_ABOVE_MAJOR = "minor_above_major"
    TUMOUR_CONTENT_RANGE = "tumour_content_range"
    ERROR_RATE_RANGE = "error_rate_range"
    DUPLICATE = "duplicate"
    SAMPLE_TWICE = "sample_twice"
    SAMPLE_COUNT = "sample_count"
    MIXED_LAYOUTS = "mixed_layouts"
    TUMOUR_CONTENT_COUNT = "tumour_content_count"
    NO_COMMON = "no_common"
    # Warnings: the run goes on.
    MAJOR_ZERO = "major_zero"
    ABSENT = "absent"
    ZERO_DEPTH = "zero_depth"
    TUMOUR_CONTENT_ASSUMED = "tumour_content_assumed"


@dataclass(frozen=True)
class RuleText:
    """What is wrong and what to do about it; {names} are filled from the details of a problem."""

    message: str
    fix: str


TEXTS: dict[Rule, RuleText] = {
    Rule.NOT_FOUND: RuleText("cannot be opened", "check the name and whether it may be read"),
    Rule.NOT_TEXT: RuleText(
        "is not UTF-8 text{hint}", "save it as tab-separated text in the encoding UTF-8"
    ),
    Rule.EMPTY: RuleText(
        "is empty, expected the column names {expected}",
        "upload the file again; the export may have been cut off",
    ),
    Rule.NO_ROWS: RuleText(
        "holds the column names but no mutations", "add at least one mutation below the header"
    ),
    Rule.MISSING_COLUMN: RuleText(
        'the column {column} is missing; found: "{value}"',
        "add the column, or rename the one that holds it{hint}",
    ),
    Rule.COLUMN_TWICE: RuleText(
        "the column {column} occurs more than once ({value})", "keep one of them"
    ),
    Rule.FIELD_COUNT: RuleText(
        "has {value} fields, expected {expected} as in the header",
        "give every row one value for each column, separated by tabs",
    ),
    Rule.LINE_TOO_LONG: RuleText(
        "is longer than {expected} characters",
        "give every mutation a line of its own; the line breaks may have been lost",
    ),
    Rule.NAME_TOO_LONG: RuleText(
        '{column} "{value}" is longer than {expected} characters', "give a shorter name"
    ),
    Rule.BLANK: RuleText("{column} is empty, expected {expected}", "fill it in or remove the row"),
    Rule.NOT_WHOLE: RuleText(
        '{column} is "{value}", expected a whole number',
        "give a whole number without unit, sign or thousands separator",
    ),
    Rule.NOT_NUMBER: RuleText(
        '{column} is "{value}", expected {expected}', "give a number with a decimal point"
    ),
    Rule.NEGATIVE: RuleText(
        '{column} is "{value}", expected 0 or more', "a count cannot be negative; correct it"
    ),
    Rule.TOO_LARGE: RuleText(
        '{column} is "{value}", expected at most {expected}',
        "check whether the columns were mixed up",
    ),
    Rule.NORMAL_ZERO: RuleText(
        '{column} is "{value}", expected 1 or more',
        "give the copy number of normal cells: 2, or 1 for X and Y in men",
    ),
    Rule.MINOR_ABOVE_MAJOR: RuleText(
        'minor_cn is "{value}", more than major_cn, which is "{other}"',
        "swap the two, or correct the copy number call",
    ),
    Rule.TUMOUR_CONTENT_RANGE: RuleText(
        'tumour_content is "{value}", expected more than 0 and at most 1',
        "give the share of cancer cells as a fraction; 60 percent is 0.6",
    ),
    Rule.ERROR_RATE_RANGE: RuleText(
        'error_rate is "{value}", expected at least 0 and less than 0.5',
        "give the share of wrong base calls; 0.001 is usual",
    ),
    Rule.DUPLICATE: RuleText(
        'mutation "{value}" is already on line {first} for sample {sample}',
        "keep one row for each mutation and sample",
    ),
    Rule.SAMPLE_TWICE: RuleText(
        'sample "{value}" occurs in more than one file', "give every sample a name of its own"
    ),
    Rule.SAMPLE_COUNT: RuleText(
        "{value} sample names were given for {expected} files", "give one name for each file"
    ),
    Rule.MIXED_LAYOUTS: RuleText(
        "one file has a column sample_id and another has not",
        "give one table of all samples, or one file for each sample",
    ),
    Rule.TUMOUR_CONTENT_COUNT: RuleText(
        "{value} tumour contents were given for {expected} samples ({samples})",
        "give one tumour content for each sample, in this order",
    ),
    Rule.NO_COMMON: RuleText(
        "no mutation is usable in every sample{cause}",
        "use the same mutation_id for a mutation in all samples",
    ),
    Rule.MAJOR_ZERO: RuleText(
        'major_cn is "0": mutation "{mutation}" is left out',
        "a region without tumour copies carries no mutation; check the copy number call",
    ),
    Rule.ABSENT: RuleText(
        'mutation "{value}" is left out: it has no row in sample {sample}',
        "add its read counts there, also when no read shows the variant",
    ),
    Rule.ZERO_DEPTH: RuleText(
        'mutation "{value}" has no reads in sample {sample}; it tells nothing there',
        "check the coverage, or leave the mutation out",
    ),
    Rule.TUMOUR_CONTENT_ASSUMED: RuleText(
        "tumour content is not given; 1.0 is assumed",
        "give the tumour content of every sample; 1.0 is wrong for nearly all tumours",
    ),
}


@dataclass(frozen=True)
class Problem:
    """One finding; line 1 is the header, 0 means the file as a whole."""

    rule: Rule
    file: str
    line: int = 0
    column: str = ""
    value: str = ""
    details: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What is wrong, without the place."""
        return TEXTS[self.rule].message.format(**self.fields)

    @property
    def fix(self) -> str:
        """What to do about it."""
        return TEXTS[self.rule].fix.format(**self.fields)

    @property
    def fields(self) -> dict[str, str]:
        """The values of the names in the sentences, cut to what a line can show."""
        usual = {"column": self.column, "value": self.value, "hint": "", "cause": ""}
        found = usual | self.details
        # A cause may name a sample; as a template it can be translated, and the sample relabelled.
        return found | {"cause": found["cause"].format(sample=found.get("sample", ""))}

    def __str__(self) -> str:
        place = ", ".join(filter(None, [self.file, f"line {self.line}" if self.line else ""]))
        return f"{place}: {self.message} ({self.fix})" if place else f"{self.message} ({self.fix})"


class Findings:
    """Collects problems; keeps the first of each kind and counts the rest.

    A table of a million wrong rows costs no more to report than one of a hundred."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._by_kind: Counter[tuple[str, Rule, str]] = Counter()

    def add(self, problem: Problem) -> None:
        """Note one problem."""
        kind = (problem.file, problem.rule, problem.column)
        self._by_kind[kind] += 1
        if self._by_kind[kind] <= PROBLEMS_SHOWN:
            self._kept.append(problem)

    def add_many(self, first: Iterable[Problem], *, n: int) -> None:
        """Note `n` problems of one kind, of which `first` makes those to be shown."""
        last = None
        for last, _ in zip(first, range(PROBLEMS_SHOWN), strict=False):
            self.add(last)
        if last is not None:
            self._by_kind[last.file, last.rule, last.column] += n - min(n, PROBLEMS_SHOWN)

    def report(self, files: Sequence[str] = ()) -> "Report":
        """The problems in reading order, at most 50, every kind of problem among them."""
        order = {name: place for place, name in enumerate(files)}
        ranked = sorted(self._kept, key=lambda p: (order.get(p.file, -1), p.line))
        first_of_kind = {(p.file, p.rule, p.column): p for p in reversed(ranked)}
        needed = {id(p) for p in list(first_of_kind.values())[:PROBLEMS_SHOWN]}
        free = PROBLEMS_SHOWN - len(needed)
        others = [id(p) for p in ranked if id(p) not in needed][:free]
        shown = needed.union(others)
        by_rule: Counter[Rule] = Counter()
        for (_, rule, _), n in self._by_kind.items():
            by_rule[rule] += n
        return Report(tuple(p for p in ranked if id(p) in shown), by_rule.total(), dict(by_rule))


@dataclass(frozen=True)
class Report:
    """Problems to show, and how many there are."""

    problems: tuple[Problem, ...] = ()
    n_problems: int = 0
    by_rule: dict[Rule, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """One sentence a problem, and a last one for those that are not shown."""
        more = self.n_problems - len(self.problems)
        tail = [f"and {more} more"] if more else []
        return [str(problem) for problem in self.problems] + tail


def shown(value: str) -> str:
    """The value as a message shows it: cut, on one line."""
    flat = " ".join(value.split())
    return flat if len(flat) <= VALUE_SHOWN else flat[: VALUE_SHOWN - 1] + "…"
