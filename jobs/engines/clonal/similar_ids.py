"""Why no mutation is common to all samples: ids that differ by habit only."""

import re

import numpy as np
import numpy.typing as npt

from jobs.engines.clonal.mutations import AllRows
from jobs.engines.clonal.rules import shown

IDS_COMPARED = 20_000
_SEPARATORS = re.compile(r"[\s:_.|/-]+")


EMPTY_SAMPLE = "; sample {sample} has none at all"
CASE = "; the ids differ in upper and lower case only"
SEPARATORS = "; the ids differ in chr, spaces or separators only"
SAMPLE_IN_ID = "; the ids carry the name of their sample"
CAUSES = (EMPTY_SAMPLE, CASE, SEPARATORS, SAMPLE_IN_ID)


def likely_cause(rows: AllRows, usable: npt.NDArray[np.bool_]) -> dict[str, str]:
    """The second half of the sentence "no mutation is usable in every sample", and what it names."""
    ids = [_ids(rows, usable & (rows.sample == sample)) for sample in range(len(rows.samples))]
    empty = [name for name, own in zip(rows.samples, ids, strict=True) if not own]
    if empty:
        return {"cause": EMPTY_SAMPLE, "sample": shown(empty[0])}
    alike = {CASE: _folded, SEPARATORS: _bare, SAMPLE_IN_ID: _without_sample}
    for cause, change in alike.items():
        changed = [
            {change(text, name) for text in own}
            for name, own in zip(rows.samples, ids, strict=True)
        ]
        if set.intersection(*changed) - {""}:
            return {"cause": cause}
    return {}


def _ids(rows: AllRows, mask: npt.NDArray[np.bool_]) -> list[str]:
    codes = np.unique(rows.mutation[mask])[:IDS_COMPARED]
    return [rows.mutation_ids[code] for code in codes.tolist()]


def _folded(text: str, _sample: str) -> str:
    return text.casefold()


def _without_sample(text: str, sample: str) -> str:
    return _bare(text.casefold().replace(sample.casefold(), ""), sample)


def _bare(text: str, _sample: str) -> str:
    return _SEPARATORS.sub("", text.casefold().removeprefix("chr"))
