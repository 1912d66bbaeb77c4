"""Embeddings by OpenAI, or by any server that speaks its protocol."""
