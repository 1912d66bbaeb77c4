"""Text: made uniform, and cut into chunks."""
