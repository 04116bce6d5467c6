"""The check of mutation tables: every malformed sample file, and tables made to break one rule."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.engines.clonal import (
    TEXTS,
    InvalidMutationTable,
    Preflight,
    Rule,
    check,
    read_mutations,
    repair,
)
from tests.factories.shared_data import shared_data
from tests.jobs.engines.clonal.tables import HEADER, LONG_HEADER, write

COLUMNS = HEADER.split("\t")


def only_problem(found: Preflight) -> tuple[Rule, int, str, str]:
    """Rule, line, column and value of the one problem there is."""
    assert found.table is None
    (problem,) = found.problems.problems
    return problem.rule, problem.line, problem.column, problem.value


class TestCheckOnSampleFiles:
    @pytest.mark.parametrize(
        "name",
        [
            "ok_baseline",
            "extra_columns",
            "crlf",
            "utf8_bom",
            "float_count_100.0",
            "alt_counts_header",
            "html_in_id",
            "one_mutation",
        ],
    )
    def test_accepts(self, name: str) -> None:
        found = check(shared_data(f"clonal/invalid/{name}.tsv"), tumour_content=[0.8])

        assert found.problems.n_problems == 0
        assert found.warnings.n_problems == 0
        assert found.table is not None
        assert found.table.ref_counts[0, 0] == 100

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("float_count_100.5", (Rule.NOT_WHOLE, 2, "ref_counts", "100.5")),
            ("text_count", (Rule.NOT_WHOLE, 2, "ref_counts", "abc")),
            ("blank_count", (Rule.BLANK, 3, "var_counts", "")),
            ("negative_var", (Rule.NEGATIVE, 2, "var_counts", "-5")),
            ("duplicate_mutation", (Rule.DUPLICATE, 6, "mutation_id", "m1")),
            ("minor_gt_major", (Rule.MINOR_ABOVE_MAJOR, 2, "minor_cn", "3")),
            ("normal_zero", (Rule.NORMAL_ZERO, 2, "normal_cn", "0")),
            ("header_only", (Rule.NO_ROWS, 0, "", "")),
            ("empty", (Rule.EMPTY, 1, "", "")),
            ("latin1", (Rule.NOT_TEXT, 2, "", "")),
            ("binary", (Rule.NOT_TEXT, 2, "", "")),
        ],
    )
    def test_refuses_with_place_and_value(
        self, name: str, expected: tuple[Rule, int, str, str]
    ) -> None:
        found = check(shared_data(f"clonal/invalid/{name}.tsv"), tumour_content=[0.8])

        assert only_problem(found) == expected

    def test_names_the_missing_column(self) -> None:
        found = check(shared_data("clonal/invalid/missing_major_cn.tsv"))

        assert only_problem(found)[:3] == (Rule.MISSING_COLUMN, 1, "major_cn")

    def test_names_all_missing_columns_and_the_separator(self) -> None:
        found = check(shared_data("clonal/invalid/comma_separated.tsv"))

        assert [problem.column for problem in found.problems.problems] == COLUMNS
        assert "not by commas" in found.problems.problems[0].fix

    def test_leaves_out_mutations_without_copies(self) -> None:
        found = check(shared_data("clonal/invalid/major_zero.tsv"), tumour_content=[0.8])

        assert found.table is not None
        assert found.table.mutation_ids == ("m2", "m3", "m4")
        assert [(part.rule, part.examples) for part in found.dropped] == [
            (Rule.MAJOR_ZERO, ("m1",))
        ]
        assert found.warnings.problems[0].line == 2

    def test_warns_of_mutations_without_reads(self) -> None:
        found = check(shared_data("clonal/invalid/zero_depth.tsv"), tumour_content=[0.8])

        assert found.table is not None
        assert found.table.n_mutations == 4
        assert [problem.rule for problem in found.warnings.problems] == [Rule.ZERO_DEPTH]

    def test_says_that_samples_have_nothing_in_common(self) -> None:
        folder = shared_data("clonal/invalid")
        found = check(folder / "ok_baseline.tsv", folder / "no_common_with_baseline.tsv")

        assert only_problem(found)[0] is Rule.NO_COMMON
        assert found.overlap is not None
        assert found.overlap.shared.tolist() == [[4, 0], [0, 4]]

    def test_decides_every_file(self) -> None:
        for path in shared_data("clonal/invalid").glob("*.tsv"):
            found = check(path)

            assert (found.table is None) == (found.problems.n_problems > 0), path.name

    @pytest.mark.parametrize(
        ("files", "n_mutations", "n_samples"),
        [
            (["pyclone_vi/tracerx.tsv"], 2440, 3),
            (["pyclone/cp08/cp08_t1.tsv", "pyclone/cp08/cp08_t2.tsv"], 180, 2),
            (["pyclone/cp18/cp18_t1.tsv", "pyclone/cp18/cp18_t2.tsv"], 180, 2),
            (["pyclone_vi/mixing_small.tsv"], 12, 4),
        ],
    )
    def test_keeps_the_usable_mutations_of_real_tables(
        self, files: list[str], n_mutations: int, n_samples: int
    ) -> None:
        table = read_mutations(*(shared_data(f"clonal/{name}") for name in files))

        assert (table.n_mutations, table.n_samples) == (n_mutations, n_samples)


class TestCheck:
    def test_counts_what_samples_share(self, tmp_path: Path) -> None:
        first = write(tmp_path / "a.tsv", "m1 9 1 2 1 1", "m2 9 1 2 1 1", "m3 9 1 2 1 1")
        second = write(tmp_path / "b.tsv", "m3 9 1 2 1 1", "m2 9 1 2 1 1", "m4 9 1 2 1 1")

        found = check(first, second)

        assert found.overlap is not None
        assert found.overlap.shared.tolist() == [[3, 2], [2, 3]]
        assert found.overlap.in_all == 2
        assert [(part.rule, part.n_mutations) for part in found.dropped] == [(Rule.ABSENT, 2)]

    def test_drops_a_mutation_that_one_sample_cannot_use(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "all.tsv",
            "m1 S10 9 1 1 1 2 0.5",
            "m1 S2 9 1 0 0 2 0.5",
            "m2 S10 8 2 1 1 2 0.6",
            "m2 S2 7 3 1 1 2 0.7",
            header=LONG_HEADER,
        )

        table = read_mutations(path)

        assert table.mutation_ids == ("m2",)
        assert table.samples == ("S10", "S2")
        assert table.tumour_content.tolist() == [[0.6, 0.7]]

    def test_gives_the_same_table_for_both_layouts(self, tmp_path: Path) -> None:
        first = write(tmp_path / "S1.tsv", "m1 9 1 2 1 1", "m2 9 2 2 1 2")
        second = write(tmp_path / "S2.tsv", "m2 7 4 2 0 1", "m1 7 3 2 1 1")
        both = write(
            tmp_path / "both.tsv",
            "m1 S1 9 1 1 1 2 0.5",
            "m1 S2 7 3 1 1 2 0.6",
            "m2 S1 9 2 2 1 2 0.5",
            "m2 S2 7 4 1 0 2 0.6",
            header=LONG_HEADER,
        )

        one = read_mutations(first, second, tumour_content=[0.5, 0.6])
        other = read_mutations(both)

        assert one.samples == other.samples
        for name in ("ref_counts", "var_counts", "major_cn", "minor_cn", "tumour_content"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name

    def test_matches_tumour_contents_to_files_and_not_to_sorted_names(self, tmp_path: Path) -> None:
        late = write(tmp_path / "z.tsv", "m1 9 1 2 1 1")
        early = write(tmp_path / "a.tsv", "m1 9 1 2 1 1")

        table = read_mutations(late, early, tumour_content=[0.9, 0.1])

        assert table.samples == ("a", "z")
        assert table.tumour_content.tolist() == [[0.1, 0.9]]

    @pytest.mark.parametrize(
        ("given", "rule"),
        [
            ([0.5], Rule.TUMOUR_CONTENT_COUNT),
            ([0.5, 0.0], Rule.TUMOUR_CONTENT_RANGE),
            ([0.5, 1.2], Rule.TUMOUR_CONTENT_RANGE),
            ([0.5, float("nan")], Rule.TUMOUR_CONTENT_RANGE),
        ],
        ids=["too few", "zero", "above one", "not a number"],
    )
    def test_refuses_wrong_tumour_contents(
        self, tmp_path: Path, given: list[float], rule: Rule
    ) -> None:
        files = [write(tmp_path / f"{name}.tsv", "m1 9 1 2 1 1") for name in "ab"]

        assert only_problem(check(*files, tumour_content=given))[0] is rule

    def test_refuses_one_sample_in_two_files(self, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        first = write(tmp_path / "x.tsv", "m1 9 1 2 1 1")
        second = write(tmp_path / "b" / "X.tsv", "m2 9 1 2 1 1")

        assert Rule.SAMPLE_TWICE in check(first, second).problems.by_rule

    def test_refuses_a_mixture_of_layouts(self, tmp_path: Path) -> None:
        first = write(tmp_path / "a.tsv", "m1 9 1 2 1 1")
        second = write(tmp_path / "b.tsv", "m1 S2 9 1 1 1 2 0.5", header=LONG_HEADER)

        assert only_problem(check(first, second))[0] is Rule.MIXED_LAYOUTS

    @pytest.mark.parametrize(
        ("other", "cause"),
        [
            ("M1", "upper and lower case"),
            ("m1_b", "name of their sample"),
            ("chr_m1", "separators"),
        ],
    )
    def test_guesses_why_nothing_is_in_common(self, tmp_path: Path, other: str, cause: str) -> None:
        first = write(tmp_path / "a.tsv", "m1 9 1 2 1 1")
        second = write(tmp_path / "b.tsv", f"{other} 9 1 2 1 1")

        (problem,) = check(first, second).problems.problems

        assert cause in problem.message

    def test_reads_quotes_odd_spelling_and_blank_lines(self, tmp_path: Path) -> None:
        header = '"Mutation ID"\tREF_COUNTS\tAlt-Counts\t"normal_cn"\tminor_cn\tmajor_cn'
        path = write(tmp_path / "a.tsv", '"m1" 1e2 +20 2 1 "1"', "", "     ", header=header)

        table = read_mutations(path)

        assert table.mutation_ids == ("m1",)
        assert (table.ref_counts[0, 0], table.var_counts[0, 0]) == (100, 20)

    @pytest.mark.parametrize(
        "text", ["1_000", "1,000", "٣", "0x10", "nan", "inf", "1e-1", "--1", "1 0"]
    )
    def test_refuses_what_only_looks_like_a_number(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.tsv"
        path.write_text(f"{HEADER}\nm1\t{text}\t1\t2\t1\t1\n", encoding="utf-8")

        assert only_problem(check(path))[0] is Rule.NOT_WHOLE

    def test_keeps_ids_that_other_programs_take_for_missing(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", "NA 9 1 2 1 1", "12 9 1 2 1 1")

        assert read_mutations(path).mutation_ids == ("12", "NA")

    def test_names_the_row_that_has_too_many_fields(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", "m1 9 1 2 1 1", "m2 9 1 2 1 1 7")

        assert only_problem(check(path))[:2] == (Rule.FIELD_COUNT, 3)

    def test_says_when_a_file_is_not_there(self, tmp_path: Path) -> None:
        assert only_problem(check(tmp_path / "none.tsv"))[0] is Rule.NOT_FOUND

    def test_shows_fifty_problems_and_counts_the_rest(self, tmp_path: Path) -> None:
        rows = [f"m{row} x 1 2 1 1" for row in range(60_000)]
        path = write(tmp_path / "a.tsv", *rows, "last 1 -1 2 1 1")

        report = check(path).problems

        assert len(report.problems) == 50
        assert report.n_problems == 60_001
        # The one of another kind is among those shown, though it comes last.
        assert report.problems[-1].line == 60_002
        assert report.lines()[-1] == "and 59951 more"

    @pytest.mark.parametrize(
        ("encoding", "guess"),
        [("gbk", "GBK"), ("utf-16", "UTF-16"), ("utf-16-le", ""), ("utf-32", "")],
    )
    def test_refuses_other_encodings(self, tmp_path: Path, encoding: str, guess: str) -> None:
        path = tmp_path / "a.tsv"
        path.write_bytes(f"{HEADER}\n突变1\t9\t1\t2\t1\t1\n".encode(encoding))

        found = check(path)

        assert only_problem(found)[0] is Rule.NOT_TEXT
        assert guess in found.problems.problems[0].message
        assert repair(path).files == {}

    @pytest.mark.parametrize("before", ["", f"{HEADER}\nm1\t9\t1\t2\t1\t1\n"])
    @pytest.mark.parametrize("unit", ["x", "x\t", "x,"])
    def test_refuses_a_line_that_never_ends(self, tmp_path: Path, before: str, unit: str) -> None:
        path = tmp_path / "a.tsv"
        path.write_text(before + unit * (50 * 2**20 // len(unit)), encoding="utf-8")

        assert only_problem(check(path))[:2] == (Rule.LINE_TOO_LONG, before.count("\n") + 1)
        assert repair(path).n_mutations == before.count("m1")

    def test_refuses_an_id_that_no_table_could_show(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", f"{'m' * 1_001} 9 1 2 1 1", f"{'m' * 1_000} 9 1 2 1 1")

        assert only_problem(check(path))[:3] == (Rule.NAME_TOO_LONG, 2, "mutation_id")

    @pytest.mark.parametrize("text", ["9" * 5_000, "9" * 400 + ".0", "9e99"])
    def test_refuses_numbers_beyond_all_measure(self, tmp_path: Path, text: str) -> None:
        path = write(tmp_path / "a.tsv", f"m1 {text} 1 2 1 1")

        assert only_problem(check(path))[0] is Rule.TOO_LARGE

    def test_cuts_long_values(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", f"m1 {'x' * 10_000} 1 2 1 1")

        assert len(str(check(path).problems.problems[0])) < 400


class TestReadMutations:
    def test_raises_with_every_problem(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.tsv", "m1 x 1 2 1 1", "m2 1 -1 2 1 1")

        with pytest.raises(InvalidMutationTable, match="line 3") as caught:
            read_mutations(path)

        assert caught.value.report.n_problems == 2


class TestTexts:
    @pytest.mark.parametrize("rule", Rule)
    def test_has_a_sentence_and_a_remedy(self, rule: Rule) -> None:
        assert TEXTS[rule].message
        assert TEXTS[rule].fix


# --- tables made up: valid ones are accepted, and one broken rule gives exactly its message ---

ROWS = st.lists(
    st.tuples(
        st.integers(0, 5_000),
        st.integers(0, 5_000),
        st.integers(1, 2),
        st.integers(0, 4),
        st.integers(1, 6),
    ).filter(lambda row: row[3] <= row[4]),
    min_size=1,
    max_size=12,
)
BREAKS = {
    "ref_counts": [("-1", Rule.NEGATIVE), ("", Rule.BLANK), ("1.5", Rule.NOT_WHOLE)],
    "var_counts": [("x", Rule.NOT_WHOLE), ("9999999999", Rule.TOO_LARGE)],
    "normal_cn": [("0", Rule.NORMAL_ZERO), ("two", Rule.NOT_WHOLE)],
    "minor_cn": [("7", Rule.MINOR_ABOVE_MAJOR), ("-2", Rule.NEGATIVE)],
    "major_cn": [("9999", Rule.TOO_LARGE), (" ", Rule.BLANK)],
    "mutation_id": [("", Rule.BLANK)],
}
FRESH = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def cells_of(rows: list[tuple[int, ...]]) -> list[list[str]]:
    return [[f"m{place}", *map(str, row)] for place, row in enumerate(rows)]


def saved(path: Path, cells: list[list[str]], *, end: str = "\n", mark: str = "") -> Path:
    text = end.join("\t".join(row) for row in [COLUMNS, *cells]) + end
    path.write_bytes((mark + text).encode())
    return path


class TestCheckOnMadeUpTables:
    @FRESH
    @given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), mark=st.sampled_from(["", "\ufeff"]))
    def test_accepts_valid_ones(
        self, tmp_path: Path, rows: list[tuple[int, ...]], end: str, mark: str
    ) -> None:
        path = saved(tmp_path / "a.tsv", cells_of(rows), end=end, mark=mark)

        found = check(path, tumour_content=[0.5])

        assert found.problems.lines() == []
        assert found.table is not None
        assert found.table.n_mutations == len(rows)

    @FRESH
    @given(rows=ROWS, data=st.data())
    def test_names_the_one_rule_that_is_broken(
        self, tmp_path: Path, rows: list[tuple[int, ...]], data: st.DataObject
    ) -> None:
        cells = cells_of(rows)
        row = data.draw(st.integers(0, len(rows) - 1))
        column = data.draw(st.sampled_from(sorted(BREAKS)))
        text, rule = data.draw(st.sampled_from(BREAKS[column]))
        cells[row][COLUMNS.index(column)] = text

        found = check(saved(tmp_path / "a.tsv", cells), tumour_content=[0.5])

        assert only_problem(found) == (rule, row + 2, column, text.strip())


# --- anything at all: never an error of the program's own, and what is repaired passes the check ---

GOOD = "\n".join(["\t".join(COLUMNS), *(f"m{n}\t9\t{n}\t2\t1\t1" for n in range(4)), ""]).encode()
ODD = [
    b"\t",
    b"\n",
    b"\r",
    b'"',
    b",",
    b";",
    b"\0",
    b"\xff",
    b"-",
    b".",
    b"1e9",
    b" ",
    b"\xef\xbb\xbf",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good table with some places cut out, or something put in."""
    content = GOOD
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        cut = draw(st.integers(0, 12))
        piece = draw(st.one_of(st.sampled_from(ODD), st.binary(max_size=6)))
        content = content[:at] + piece + content[at + cut :]
    return content.replace(b"\t", draw(st.sampled_from([b"\t", b"\t", b",", b";"])))


class TestCheckOnAnything:
    @settings(
        max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(content=st.one_of(damaged(), st.binary(max_size=200)))
    def test_never_fails(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.tsv"
        path.write_bytes(content)

        found, repaired = check(path), repair(path)

        assert (found.table is None) == (found.problems.n_problems > 0)
        assert all(problem.message and problem.fix for problem in found.problems.problems)
        for text in repaired.files.values():
            path.write_text(text, encoding="utf-8")
            assert check(path).problems.lines() == []
