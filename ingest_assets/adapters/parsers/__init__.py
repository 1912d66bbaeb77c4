"""Parsers: documents in, Markdown out."""
