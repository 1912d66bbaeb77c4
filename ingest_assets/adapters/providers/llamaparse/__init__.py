"""LlamaParse: a paid provider that turns documents into Markdown; https://developers.llamaindex.ai/llamaparse."""
