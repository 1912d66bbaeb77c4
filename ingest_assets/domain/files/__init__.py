"""Files: what they are, and whether they may come in."""
