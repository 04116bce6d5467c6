"""First content: a demo portal of our own making, and real interactions from CSV files."""
