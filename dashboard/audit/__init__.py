"""The audit log: who changed what and when. Entries are only ever added."""
