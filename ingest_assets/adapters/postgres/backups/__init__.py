"""Backing up and restoring the schema, with the programs of PostgreSQL."""
