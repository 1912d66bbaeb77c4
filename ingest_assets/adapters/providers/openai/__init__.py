"""Embeddings of OpenAI, and of any server that speaks its protocol."""
