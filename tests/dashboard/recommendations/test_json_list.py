"""A list of JSON read in pieces gives what reading it whole gives, and takes no memory."""

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.recommendations.services import json_list
from dashboard.recommendations.services.json_list import BrokenList, elements

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


# How much is read at once.
CHUNKS = (1, 3, 1 << 16)


def read(text: str, *, chunk: int) -> tuple[list[Any], str]:
    """The elements, and why there are no more when the list is broken."""
    found: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_list, "CHUNK", chunk)
        try:
            for value in elements(io.StringIO(text)):
                found.append(value)
        except BrokenList as error:
            return found, str(error)
    return found, ""


class TestElements:
    @settings(deadline=None)
    @given(st.lists(VALUES, max_size=5), st.sampled_from([None, 2]), st.sampled_from(CHUNKS))
    def test_are_those_of_the_whole(
        self, values: list[Any], indent: int | None, chunk: int
    ) -> None:
        text = f" {json.dumps(values, indent=indent)}\n"

        assert read(text, chunk=chunk) == (values, "")

    @settings(deadline=None, max_examples=200)
    @given(st.integers(0, 10**6), st.sampled_from('[]{}",:e1 '), st.sampled_from(CHUNKS))
    def test_break_off_where_the_whole_cannot_be_read(
        self, place: int, character: str, chunk: int
    ) -> None:
        text = json.dumps([{"user_id": 12, "value": -1.5e-7, "kind": 'é"]'}, [1, {}], 3.25])
        place %= len(text)
        text = text[:place] + character + text[place + 1 :]
        try:
            whole = json.loads(text)
        except ValueError:
            whole = None

        found, fault = read(text, chunk=chunk)

        if isinstance(whole, list):
            assert (found, fault) == (whole, "")
        else:
            assert fault

    @pytest.mark.parametrize("number", ["1.0", "1e5", "-0", "9" * 30, "1e400", "NaN", "0.1"])
    def test_have_the_numbers_that_json_gives(self, number: str) -> None:
        (found,), _fault = read(f"[{number}]", chunk=1)

        assert repr(found) == repr(json.loads(number))

    @pytest.mark.parametrize(
        ("text", "n_read", "why"),
        [
            ("[1, 2", 1, "Expecting ',' delimiter, character 6"),
            ("[1,\n2 3]", 1, "Expecting ',' delimiter, character 7"),
            ("[1, 2,]", 2, "Expecting value, character 7"),
            ("[1] 2", 1, "Extra data, character 5"),
            ('[1, "two]', 1, "Unterminated string starting at, character 5"),
            ("[", 0, "Expecting value, character 2"),
            ("", 0, "Expecting a list, character 1"),
            ("[" * 100_000, 0, "nested too deeply, character 2"),
            ("[" + "1" * 5_000 + "]", 0, "Exceeds the limit"),
        ],
        ids=lambda value: str(value)[:12],
    )
    @pytest.mark.parametrize("chunk", CHUNKS)
    def test_break_off_at_a_named_place(self, text: str, n_read: int, why: str, chunk: int) -> None:
        found, fault = read(text, chunk=chunk)

        assert len(found) == n_read
        assert fault.startswith(why)


def test_takes_no_memory_for_the_length_of_a_list() -> None:
    row = {"user_id": 1, "item_id": 2, "kind": "view", "created_at": "2026-05-01T10:00:00Z"}
    file = io.StringIO("[" + ",\n".join([json.dumps(row)] * 30_000) + "]")

    tracemalloc.start()
    n_rows = sum(1 for _ in elements(file))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert n_rows == 30_000
    assert peak < 1_000_000


def test_gives_up_an_element_that_does_not_end() -> None:
    file = io.StringIO('["' + "x" * 5_000_000)

    with pytest.raises(BrokenList, match="Unterminated string"):
        list(elements(file))

    assert file.tell() < 4_000_000
