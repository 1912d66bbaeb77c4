"""Documents in Postgres: what came in, where it stands, and what leaves."""
