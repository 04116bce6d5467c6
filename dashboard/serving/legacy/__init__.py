"""The endpoints of the customer's document (R150-R158) under /api/v0, to the letter; docs/api-v0.md lists them."""

from dashboard.serving.legacy import accounts, documented, further
from dashboard.serving.legacy.blueprint import legacy

__all__ = ["accounts", "documented", "further", "legacy"]
