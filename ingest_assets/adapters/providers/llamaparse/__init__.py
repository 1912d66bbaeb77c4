"""LlamaParse: a paid provider that turns documents into Markdown; its first protocol, through its client library."""
