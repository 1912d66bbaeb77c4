"""Parsers: documents in, Markdown out. What runs inside the sealed worker is in `sealed`, the rest here."""
