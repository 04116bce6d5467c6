"""The Flask application of Atrium: one folder per domain, and `core` for what no domain owns."""
