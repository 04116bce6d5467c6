"""The catalogue's pages: home, lists, introduction pages, videos and their upload."""

from dashboard.catalogue.pages import items, videos
from dashboard.catalogue.pages.blueprint import pages

__all__ = ["items", "pages", "videos"]
