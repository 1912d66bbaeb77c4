"""Search: fusion, words, vectors and their indexes."""
