"""What drift is measured against: the model's file, or a table of reference."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.accounts.models import User
from dashboard.core.errors import Conflict, Invalid, NotFound
from dashboard.serving import drift, queries, services
from dashboard.serving.models import Deployment, Model
from tests.factories.browsing import post
from tests.factories.models import TREE, add_line, viewer_of

Browser = Callable[[User], FlaskClient]
Deployed = tuple[Deployment, str]
# a is 1 to 100, b alternates between 0 and 10.
TABLE = "a,b,other\n" + "".join(f"{n},{10 * (n % 2)},x\n" for n in range(1, 101))


def give(model: Model, user: User, text: str = TABLE) -> None:
    services.set_reference(
        model.id, 1, BytesIO(text.encode()), original_name="jan.csv", viewer=viewer_of(user)
    )


class TestSetReference:
    def test_drift_is_measured_against_the_table(
        self, deployed: Deployed, line: Model, analyst: User, answering: list[Any]
    ) -> None:
        give(line, analyst)
        # As in the table; then twice as many, all of them in the lowest tenth.
        services.predict(deployed[0], [{"a": n, "b": 10 * (n % 2)} for n in range(1, 101)])
        services.predict(deployed[0], [{"a": 5.0, "b": 0} for _ in range(200)])
        services.count_all()

        found = drift.measure(line.newest.baseline, queries.drift_bins(deployed[0].id, days=1))

        assert {each.field: each.n for each in found} == {"a": 300, "b": 300}
        worst = found[0]
        assert (worst.field, worst.level) == ("a", "alarm")
        # 10 of 100 rows are in the lowest tenth of the table, 210 of 300 are now.
        assert worst.ks == pytest.approx(0.7 - 0.1)
        assert worst.unseen == 0

    def test_what_was_counted_in_other_bins_is_forgotten(
        self, deployed: Deployed, line: Model, analyst: User, answering: list[Any]
    ) -> None:
        give(line, analyst)
        services.predict(deployed[0], [{"a": 1, "b": 1}])
        services.count_all()

        give(line, analyst, "a,b\n1,1\n2,2\n")

        assert queries.drift_bins(deployed[0].id, days=1) == {}

    def test_the_table_is_told_and_may_be_taken_away(self, line: Model, analyst: User) -> None:
        give(line, analyst)
        assert line.newest.baseline_about["name"] == "jan.csv"
        assert line.newest.baseline_about["rows"] == 100

        services.remove_reference(line.id, 1, viewer=viewer_of(analyst))

        assert (line.newest.baseline, line.newest.baseline_about) == (None, None)
        with pytest.raises(Conflict):
            services.remove_reference(line.id, 1, viewer=viewer_of(analyst))

    @pytest.mark.parametrize("text", ["", "a\n1\n", "a,b\n", "a,b\nx,y\n", "a,b\n1\n"])
    def test_refuses_what_says_nothing_of_the_inputs(
        self, line: Model, analyst: User, text: str
    ) -> None:
        with pytest.raises(Invalid):
            give(line, analyst, text)

        assert line.newest.baseline is None
        assert not list((queries.folder() / "references").glob("*"))

    def test_nobody_elses_model(self, line: Model, other: User) -> None:
        with pytest.raises(NotFound):
            give(line, other)


class TestDeclared:
    def test_a_pmml_file_brings_its_ranges_and_categories(self, analyst: User) -> None:
        model = services.add_model(
            TREE, original_name="fit.pmml", name="fit", viewer=viewer_of(analyst)
        )

        assert model.newest.baseline_about == {"from": "file"}
        level = model.newest.baseline["level"]
        assert (level["values"], level["shares"]) == (
            ["beginner", "intermediate", "advanced"],
            None,
        )

    def test_an_onnx_file_says_nothing(self, analyst: User, tmp_path: Path) -> None:
        assert add_line(analyst, tmp_path).newest.baseline is None


def test_the_pages_take_and_show_it(
    deployed: Deployed, line: Model, analyst: User, browser_of: Browser, answering: list[Any]
) -> None:
    client, address = browser_of(analyst), f"/models/{line.id}/versions/1/reference"
    assert "A table of inputs" in client.get(address).text

    post(client, address, data={"file": (BytesIO(TABLE.encode()), "jan.csv")})
    services.predict(deployed[0], [{"a": 1, "b": 1}])
    services.count_all()

    assert "jan.csv" in client.get(f"/models/{line.id}").text
    page = client.get(f"/deployments/{deployed[0].id}").text
    assert "jan.csv" in page
    assert "Input a" in page
    assert post(client, f"{address}/delete").status_code == 302
    assert "jan.csv" not in client.get(f"/models/{line.id}").text
