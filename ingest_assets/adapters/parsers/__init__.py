"""Parsers: documents in, Markdown out. `sealed` holds the code that runs inside the sealed worker."""
