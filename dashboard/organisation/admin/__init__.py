"""The organisation in the dashboard: its tree, the list of its units, files in and out."""

from dashboard.core.admin import AdminPage
from dashboard.organisation.admin.structure import StructurePage
from dashboard.organisation.admin.units import Units

VIEWS: list[type[AdminPage]] = [StructurePage, Units]
