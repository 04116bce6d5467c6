"""Trees from files: everything wrong is named before anything changes."""

import json
from collections.abc import Callable

import pytest

from dashboard.accounts.models import User
from dashboard.core.errors import Invalid
from dashboard.organisation import services
from dashboard.organisation.queries import units as queries
from tests.dashboard.organisation.test_units import shape
from tests.factories.catalogue import make_item
from tests.factories.organisation import make_unit

HEADER = "code,parent,name,name_en,colour,positions,members\n"


def faults(text: str) -> list[str]:
    return [f"{p.field}: {p.message}" for p in services.plan(text.encode()).problems]


@pytest.mark.usefixtures("app")
class TestPlan:
    def test_names_every_bad_line(self) -> None:
        text = HEADER + (
            "a,,Research,,,,\n"
            "a,,Again,,,,\n"
            "b,nowhere,Orphan,,,,\n"
            "c,d,Circle,,,,\n"
            "d,c,Other half,,,,\n"
            "e,,Research,,blue,,\n"
            "f,,,,,,\n"
            "g,,Team,,,99;nobody's,\n"
        )

        found = faults(text)

        for line, word in (
            (2, "twice"),
            (3, "twice"),
            (4, "nowhere"),
            (5, "above itself"),
            (6, "above itself"),
            (7, "colour"),
            (7, "this name"),
            (8, "1 to 80"),
            (9, "99"),
            (9, "nobody's"),
        ):
            assert any(f.startswith(f"line {line}:") and word in f for f in found), (line, word)
        assert services.plan(b"").problems
        assert shape() == []

    def test_refuses_what_is_no_tree(self) -> None:
        for text in (
            "",
            "name\nx\n",
            "code,name,wat\n1,2,3\n",
            "{",
            "[" * 5000,
            '{"units": 3}',
            '{"units": [3]}',
            '{"units": [{"code": "a", "name": 5}]}',
            'code,name\n"open',
            "code,name\na,b,c\n",
        ):
            plan = services.plan(text.encode())

            assert plan.problems, text[:40]
            with pytest.raises(Invalid):
                services.apply_plan(plan, actor_id=None)

    @pytest.mark.parametrize("name", ["\\ud800", "a\\u0000"])
    def test_refuses_escapes_that_no_database_takes(self, name: str) -> None:
        assert "no text may hold" in faults(f'[{{"code": "a", "name": "{name}"}}]')[0]

    def test_names_the_lines_before_the_one_that_cannot_be_read(self) -> None:
        found = faults('code,name\na,b,c\nd,"e"f\n')

        assert [fault.split(":")[0] for fault in found] == ["line 2", "line 3"]

    def test_refuses_bytes_that_are_no_text(self) -> None:
        assert services.plan(b"\xff\xfe\x00code").problems


class TestApplyPlan:
    def test_makes_the_tree_what_the_file_says(
        self, each_database: str, app: object, make_user: Callable[..., User]
    ) -> None:
        position = make_item("position", external_id="demo:analyst")
        person = make_user("learner")
        kept, gone = make_unit("Old name", code="kept"), make_unit("Gone", code="gone")
        make_unit("Saved", code="saved", parent=gone)
        text = HEADER + (
            "saved,kept,B,,,,\n"
            f"kept,,Research,研究,#AABBCC,demo:analyst,{person.user_name}\n"
            "new,kept,A,,,,\n"
        )
        plan = services.plan(text.encode())

        assert (plan.problems, plan.new, plan.gone) == ([], ["A"], ["Gone"])
        assert services.apply_plan(plan, actor_id=None) == 3
        assert shape() == [("Research", 0), ("B", 1), ("A", 1)]
        unit = queries.get_unit(kept.id)
        assert (unit.colour, unit.name_en) == ("#aabbcc", "研究")
        assert queries.list_position_ids(unit.id) == [position.id]
        assert queries.list_member_ids(unit.id) == [person.id]

    @pytest.mark.usefixtures("each_database", "app")
    def test_lets_siblings_swap_their_names(self) -> None:
        make_unit("One", code="one")
        make_unit("Two", code="two")

        services.apply_plan(services.plan(b"code,name\none,Two\ntwo,One\n"), actor_id=None)

        assert shape() == [("Two", 0), ("One", 0)]


@pytest.mark.usefixtures("app")
class TestExport:
    @pytest.mark.parametrize("export", [services.export_csv, services.export_json])
    def test_can_be_imported_again(self, export: Callable[[], str]) -> None:
        top = make_unit("=Research, “A”", code="r", colour="#112233")
        below = make_unit("统计部", code="s", name_en="Statistics", parent=top)
        position = make_item("position")
        services.set_positions(below.id, actor_id=None, item_ids=[position.id])
        before = (export(), shape())

        services.apply_plan(services.plan(export().encode()), actor_id=None)

        assert (export(), shape()) == before

    def test_nests_children_in_json(self) -> None:
        make_unit("Below", code="b", parent=make_unit("Top", code="t"))

        units = json.loads(services.export_json())["units"]

        assert [unit["code"] for unit in units] == ["t"]
        assert [child["name"] for child in units[0]["children"]] == ["Below"]
