"""Documents: what they are, and what becomes of files that come in."""
