"""Queue, worker and engines: no Flask, no database, no domain."""
