"""What the check found, in the reader's language: the engine's sentences, collected for translation."""

from dataclasses import dataclass
from typing import Any

from dashboard.core.i18n import _, lazy
from jobs.engines.clonal import Density, GenotypePrior, Problem, Rule

# The engine's own texts (jobs/engines/clonal/rules.py); a test holds the two together.
RULES: dict[Rule, tuple[Any, Any]] = {
    Rule.NOT_FOUND: (
        lazy("cannot be opened"),
        lazy("check the name and whether it may be read"),
    ),
    Rule.NOT_TEXT: (
        lazy("is not UTF-8 text{hint}"),
        lazy("save it as tab-separated text in the encoding UTF-8"),
    ),
    Rule.EMPTY: (
        lazy("is empty, expected the column names {expected}"),
        lazy("upload the file again; the export may have been cut off"),
    ),
    Rule.NO_ROWS: (
        lazy("holds the column names but no mutations"),
        lazy("add at least one mutation below the header"),
    ),
    Rule.MISSING_COLUMN: (
        lazy('the column {column} is missing; found: "{value}"'),
        lazy("add the column, or rename the one that holds it{hint}"),
    ),
    Rule.COLUMN_TWICE: (
        lazy("the column {column} occurs more than once ({value})"),
        lazy("keep one of them"),
    ),
    Rule.FIELD_COUNT: (
        lazy("has {value} fields, expected {expected} as in the header"),
        lazy("give every row one value for each column, separated by tabs"),
    ),
    Rule.LINE_TOO_LONG: (
        lazy("is longer than {expected} characters"),
        lazy("give every mutation a line of its own; the line breaks may have been lost"),
    ),
    Rule.NAME_TOO_LONG: (
        lazy('{column} "{value}" is longer than {expected} characters'),
        lazy("give a shorter name"),
    ),
    Rule.BLANK: (
        lazy("{column} is empty, expected {expected}"),
        lazy("fill it in or remove the row"),
    ),
    Rule.NOT_WHOLE: (
        lazy('{column} is "{value}", expected a whole number'),
        lazy("give a whole number without unit, sign or thousands separator"),
    ),
    Rule.NOT_NUMBER: (
        lazy('{column} is "{value}", expected {expected}'),
        lazy("give a number with a decimal point"),
    ),
    Rule.NEGATIVE: (
        lazy('{column} is "{value}", expected 0 or more'),
        lazy("a count cannot be negative; correct it"),
    ),
    Rule.TOO_LARGE: (
        lazy('{column} is "{value}", expected at most {expected}'),
        lazy("check whether the columns were mixed up"),
    ),
    Rule.NORMAL_ZERO: (
        lazy('{column} is "{value}", expected 1 or more'),
        lazy("give the copy number of normal cells: 2, or 1 for X and Y in men"),
    ),
    Rule.MINOR_ABOVE_MAJOR: (
        lazy('minor_cn is "{value}", more than major_cn, which is "{other}"'),
        lazy("swap the two, or correct the copy number call"),
    ),
    Rule.TUMOUR_CONTENT_RANGE: (
        lazy('tumour_content is "{value}", expected more than 0 and at most 1'),
        lazy("give the share of cancer cells as a fraction; 60 percent is 0.6"),
    ),
    Rule.ERROR_RATE_RANGE: (
        lazy('error_rate is "{value}", expected at least 0 and less than 0.5'),
        lazy("give the share of wrong base calls; 0.001 is usual"),
    ),
    Rule.DUPLICATE: (
        lazy('mutation "{value}" is already on line {first} for sample {sample}'),
        lazy("keep one row for each mutation and sample"),
    ),
    Rule.SAMPLE_TWICE: (
        lazy('sample "{value}" occurs in more than one file'),
        lazy("give every sample a name of its own"),
    ),
    Rule.SAMPLE_COUNT: (
        lazy("{value} sample names were given for {expected} files"),
        lazy("give one name for each file"),
    ),
    Rule.MIXED_LAYOUTS: (
        lazy("one file has a column sample_id and another has not"),
        lazy("give one table of all samples, or one file for each sample"),
    ),
    Rule.TUMOUR_CONTENT_COUNT: (
        lazy("{value} tumour contents were given for {expected} samples ({samples})"),
        lazy("give one tumour content for each sample, in this order"),
    ),
    Rule.NO_COMMON: (
        lazy("no mutation is usable in every sample{cause}"),
        lazy("use the same mutation_id for a mutation in all samples"),
    ),
    Rule.MAJOR_ZERO: (
        lazy('major_cn is "0": mutation "{mutation}" is left out'),
        lazy("a region without tumour copies carries no mutation; check the copy number call"),
    ),
    Rule.ABSENT: (
        lazy('mutation "{value}" is left out: it has no row in sample {sample}'),
        lazy("add its read counts there, also when no read shows the variant"),
    ),
    Rule.ZERO_DEPTH: (
        lazy('mutation "{value}" has no reads in sample {sample}; it tells nothing there'),
        lazy("check the coverage, or leave the mutation out"),
    ),
    Rule.TUMOUR_CONTENT_ASSUMED: (
        lazy("tumour content is not given; 1.0 is assumed"),
        lazy("give the tumour content of every sample; 1.0 is wrong for nearly all tumours"),
    ),
}
# The parts that such a sentence may be completed with, as the engine writes them.
PARTS = {
    "a whole number": lazy("a whole number"),
    "a number": lazy("a number"),
    "a name": lazy("a name"),
    "; sample {sample} has none at all": lazy("; sample {sample} has none at all"),
    "; the ids differ in upper and lower case only": lazy(
        "; the ids differ in upper and lower case only"
    ),
    "; the ids differ in chr, spaces or separators only": lazy(
        "; the ids differ in chr, spaces or separators only"
    ),
    "; the ids carry the name of their sample": lazy("; the ids carry the name of their sample"),
    "; columns must be separated by tabs, not by commas": lazy(
        "; columns must be separated by tabs, not by commas"
    ),
    "; columns must be separated by tabs, not by semicolons": lazy(
        "; columns must be separated by tabs, not by semicolons"
    ),
    "; columns must be separated by tabs, not by bars": lazy(
        "; columns must be separated by tabs, not by bars"
    ),
    "; columns must be separated by tabs, not by spaces": lazy(
        "; columns must be separated by tabs, not by spaces"
    ),
    "; it looks like UTF-16": lazy("; it looks like UTF-16"),
    "; it looks like GBK": lazy("; it looks like GBK"),
}
DENSITIES = {
    Density.BETA_BINOMIAL: lazy("Beta-binomial"),
    Density.BINOMIAL: lazy("Binomial"),
}
PRIORS = {
    GenotypePrior.MAJOR_COPY_NUMBER: lazy("Major copy number"),
    GenotypePrior.PARENTAL_COPY_NUMBER: lazy("Parental copy number"),
    GenotypePrior.TOTAL_COPY_NUMBER: lazy("Total copy number"),
}
OPTIONS = {
    "density": lazy("Density"),
    "prior": lazy("Copy number prior"),
    "precision": lazy("Precision"),
    "clusters": lazy("Clusters allowed"),
    "restarts": lazy("Restarts"),
    "grid": lazy("Grid points"),
    "seed": lazy("Seed"),
}
VALUES = DENSITIES | PRIORS
ENGINES = {"builtin": lazy("Built in"), "pyclone": "PyClone", "pyclone-vi": "PyClone-VI"}
# The notice of jobs/engines/clonal/originals.py; a test holds the two together.
NOTICE = lazy(
    "PyClone is licensed by the BC Cancer Agency for academic, non-commercial use only: personal, not "
    "transferable, and not for processing other people's data. PyClone-VI is licensed under GPL-3.0. "
    "This portal contains neither; whoever installs and runs them must hold the right to do so."
)


@dataclass(frozen=True)
class Finding:
    """One line of a check's report."""

    file: str
    line: int
    column: str
    value: str
    message: str
    fix: str


def findings(stored: list[dict[str, Any]]) -> list[Finding]:
    """What a check stored, in words."""
    return [_finding(each) for each in stored]


def reason(rule: str) -> str:
    """Why mutations are left out."""
    texts = {
        Rule.MAJOR_ZERO: _("no tumour copies there (major_cn is 0)"),
        Rule.ABSENT: _("no row in one of the samples"),
    }
    return texts.get(Rule(rule), rule)


def _finding(stored: dict[str, Any]) -> Finding:
    names = ("file", "line", "column", "value", "details")
    given = {name: stored[name] for name in names}
    given["details"] = {name: str(PARTS.get(text, text)) for name, text in given["details"].items()}
    problem = Problem(Rule(stored["rule"]), **given)
    message, fix = RULES[problem.rule]
    return Finding(
        problem.file,
        problem.line,
        problem.column,
        problem.value,
        str(message).format(**problem.fields),
        str(fix).format(**problem.fields),
    )
