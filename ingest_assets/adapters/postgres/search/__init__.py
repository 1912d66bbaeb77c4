"""Search in Postgres: words, vectors and their indexes."""
