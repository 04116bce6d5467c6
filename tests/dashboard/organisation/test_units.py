"""Units as the services keep them, on every database."""

import pytest

from dashboard.core.database import session
from dashboard.core.errors import Conflict, Invalid, NotFound
from dashboard.organisation import services
from dashboard.organisation.models import Unit, UnitPosition
from dashboard.organisation.queries import units as queries
from dashboard.organisation.services import Direction
from tests.factories.catalogue import make_item
from tests.factories.organisation import make_unit

# Databases differ in how they compare names, lock rows, and delete what hangs on a row.
each_database = pytest.mark.usefixtures("each_database", "app")


def shape() -> list[tuple[str, int]]:
    """(name, depth) of the whole tree, top down."""
    session.expire_all()
    return [(unit.name, depth) for unit, depth in queries.list_units()]


@pytest.mark.usefixtures("app")
class TestMoveUnit:
    @each_database
    def test_puts_it_between_others_with_all_below_it(self) -> None:
        first, second = make_unit("First"), make_unit("Second")
        make_unit("A", parent=first)
        make_unit("B", parent=first)
        make_unit("below", parent=second)

        services.move_unit(second.id, actor_id=None, parent_id=first.id, place=1)

        assert shape() == [("First", 0), ("A", 1), ("Second", 1), ("below", 2), ("B", 1)]

    def test_refuses_a_circle_and_changes_nothing(self) -> None:
        top = make_unit("Top")
        below = make_unit("Below", parent=make_unit("Middle", parent=top))

        with pytest.raises(Invalid, match="below itself"):
            services.move_unit(top.id, actor_id=None, parent_id=below.id)

        assert shape() == [("Top", 0), ("Middle", 1), ("Below", 2)]

    @each_database
    def test_refuses_a_sibling_of_its_name_however_it_is_written(self) -> None:
        top = make_unit("Top")
        make_unit("统计 Statistics", parent=top)
        other = make_unit("统计  STATISTICS")

        with pytest.raises(Invalid, match="this name"):
            services.move_unit(other.id, actor_id=None, parent_id=top.id)

    def test_refuses_more_than_six_levels(self) -> None:
        unit = make_unit("0")
        for depth in range(1, 6):
            unit = make_unit(str(depth), parent=unit)

        with pytest.raises(Invalid, match="levels"):
            make_unit("too deep", parent=unit)

    def test_refuses_a_parent_that_is_not_there(self) -> None:
        unit = make_unit("Alone")

        with pytest.raises(NotFound):
            services.move_unit(unit.id, actor_id=None, parent_id=unit.id + 99)


@pytest.mark.usefixtures("app")
class TestShiftUnit:
    def test_takes_every_step_a_keyboard_can(self) -> None:
        make_unit("A")
        moved = make_unit("B")
        make_unit("C")

        seen = []
        for step in (Direction.UP, Direction.DOWN, Direction.IN, Direction.OUT):
            services.shift_unit(moved.id, step, actor_id=None)
            seen.append(" ".join(name + "." * depth for name, depth in shape()))

        assert seen == ["B A C", "A B C", "A B. C", "A B C"]

    def test_says_where_there_is_no_further_step(self) -> None:
        alone = make_unit("Alone")

        for step in Direction:
            with pytest.raises(Conflict):
                services.shift_unit(alone.id, step, actor_id=None)


@pytest.mark.usefixtures("app")
class TestUpdateUnit:
    def test_names_every_fault_beside_its_field(self) -> None:
        unit = make_unit("Old")

        with pytest.raises(Invalid) as refused:
            services.update_unit(
                unit.id, actor_id=None, fields={"name": " ", "colour": "red", "code": "a b"}
            )

        assert [problem.field for problem in refused.value.problems] == ["name", "code", "colour"]

    @each_database
    def test_refuses_the_code_of_another(self) -> None:
        make_unit("One", code="one")
        two = make_unit("Two")

        with pytest.raises(Invalid, match="code"):
            services.update_unit(two.id, actor_id=None, fields={"code": "one"})


@pytest.mark.usefixtures("app")
class TestSetPositions:
    @each_database
    def test_keeps_their_order_and_refuses_courses(self) -> None:
        unit = make_unit()
        first, second = make_item("position"), make_item("position")
        course = make_item("course")

        services.set_positions(unit.id, actor_id=None, item_ids=[second.id, first.id, second.id])
        with pytest.raises(Invalid):
            services.set_positions(unit.id, actor_id=None, item_ids=[course.id])

        assert queries.list_position_ids(unit.id) == [second.id, first.id]


@pytest.mark.usefixtures("app")
class TestDeleteUnit:
    @each_database
    def test_takes_what_is_below_along_and_leaves_positions(self) -> None:
        top, other = make_unit("Top"), make_unit("Other")
        below = make_unit("Below", parent=top)
        position = make_item("position")
        services.set_positions(below.id, actor_id=None, item_ids=[position.id])

        assert services.delete_unit(top.id, actor_id=None) == 2

        assert shape() == [("Other", 0)]
        assert session.get(Unit, other.id).ordinal == 0  # type: ignore[union-attr]
        assert session.query(UnitPosition).count() == 0
        assert session.get(type(position), position.id) is not None
