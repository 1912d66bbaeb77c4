"""What `ingest doctor` checks."""
