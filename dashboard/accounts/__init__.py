"""Accounts: users, roles, sign-in by e-mail, phone or username, profile, API tokens."""
