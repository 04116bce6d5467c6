"""Calculations without the portal: arrays and files in, frozen dataclasses out.

An engine imports no other engine, no Flask and no database, so that it runs in a notebook as well."""
