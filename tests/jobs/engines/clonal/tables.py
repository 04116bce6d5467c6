"""Small mutation tables, in memory and as files, for tests."""

from pathlib import Path

import numpy as np

from jobs.engines.clonal import MutationTable

HEADER = "mutation_id\tref_counts\tvar_counts\tnormal_cn\tminor_cn\tmajor_cn"
LONG_HEADER = (
    "mutation_id\tsample_id\tref_counts\talt_counts\tmajor_cn\tminor_cn\tnormal_cn\ttumour_content"
)


def make_table(
    counts: list[list[tuple[int, int]]],
    *,
    major: int = 1,
    minor: int = 1,
    normal: int = 2,
    tumour_content: float = 1.0,
    ids: list[str] | None = None,
) -> MutationTable:
    """A table of (reference, variant) counts, a row for each mutation, all else alike."""
    array = np.array(counts)
    shape = array.shape[:2]
    return MutationTable(
        mutation_ids=tuple(ids or (f"m{row:02d}" for row in range(shape[0]))),
        samples=tuple(f"S{sample}" for sample in range(shape[1])),
        ref_counts=array[:, :, 0],
        var_counts=array[:, :, 1],
        normal_cn=np.full(shape, normal),
        minor_cn=np.full(shape, minor),
        major_cn=np.full(shape, major),
        tumour_content=np.full(shape, tumour_content),
        error_rate=np.full(shape, 0.001),
    )


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    """A file of the header and rows; spaces in rows stand for tabs."""
    path.write_text("\n".join([header, *(row.replace(" ", "\t") for row in rows), ""]))
    return path
