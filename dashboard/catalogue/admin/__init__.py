"""Courses, positions and videos in the dashboard."""

from dashboard.catalogue.admin.items import Courses, Positions
from dashboard.catalogue.admin.videos import Videos
from dashboard.core.admin import AdminPage

VIEWS: list[type[AdminPage]] = [Courses, Positions, Videos]
