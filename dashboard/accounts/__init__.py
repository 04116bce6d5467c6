"""Accounts: users, roles, sign-in by email, phone or username, profile, API tokens."""
