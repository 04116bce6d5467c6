"""Model files damaged at random: taken or refused in a line, never a crash, never long."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.engines.scoring.errors import RefusedModel
from jobs.engines.scoring.formats import recognise
from tests.factories.shared_data import shared_data

FILES = (
    "onnx/logreg_iris.onnx",
    "onnx/mnist.onnx",
    "pmml/dmg_naive_bayes.xml",
    "pmml/nn-iris.pmml",
)
DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["cut", "flip", "remove", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=8,
)


def damaged(content: bytes, damage: list[tuple[str, float, int]]) -> bytes:
    for what, where, size in damage:
        place = int(where * len(content))
        head, tail = content[:place], content[place:]
        if what == "flip" and tail:
            tail = bytes([tail[0] ^ 1 << size % 8]) + tail[1:]
        elif what == "remove":
            tail = tail[size:]
        elif what == "repeat":
            tail = tail[:size] + tail
        content = head if what == "cut" else head + tail
    return content


@pytest.mark.parametrize("name", FILES)
@given(damage=DAMAGE)
@settings(
    max_examples=40,
    deadline=3000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_damaged_files_are_taken_or_refused_in_a_line(
    name: str, tmp_path: Path, damage: list[tuple[str, float, int]]
) -> None:
    path = tmp_path / "model"
    path.write_bytes(damaged(shared_data(f"models/{name}").read_bytes(), damage))

    try:
        recognise(path).check(path)
    except RefusedModel as refused:
        assert refused.reason
        assert "\n" not in refused.reason
