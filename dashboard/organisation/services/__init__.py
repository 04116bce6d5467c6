"""Writes to the organisation: units and what is in them, whole trees from files, pictures and models."""

from dashboard.organisation.services.files import (
    remove_backdrop,
    replace_backdrop,
    replace_floor_plan,
    tidy_files,
)
from dashboard.organisation.services.importing import (
    Plan,
    apply_plan,
    export_csv,
    export_json,
    plan,
)
from dashboard.organisation.services.units import (
    Direction,
    UnitFields,
    create_unit,
    delete_unit,
    move_unit,
    set_members,
    set_positions,
    shift_unit,
    update_unit,
)

__all__ = [
    "Direction",
    "Plan",
    "UnitFields",
    "apply_plan",
    "create_unit",
    "delete_unit",
    "export_csv",
    "export_json",
    "move_unit",
    "plan",
    "remove_backdrop",
    "replace_backdrop",
    "replace_floor_plan",
    "set_members",
    "set_positions",
    "shift_unit",
    "tidy_files",
    "update_unit",
]
