"""Pages: workspace, new analysis, history, result, shared result."""

from dashboard.analyses.pages import history, results, sharing, uploading
from dashboard.analyses.pages.blueprint import pages

__all__ = ["history", "pages", "results", "sharing", "uploading"]
