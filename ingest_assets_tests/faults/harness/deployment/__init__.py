"""The real deployment under test: its commands, processes, database, object store and emulated services."""
