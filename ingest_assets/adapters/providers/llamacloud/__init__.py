"""Llama Cloud: LlamaParse by its second protocol, over plain HTTP; https://developers.llamaindex.ai/llamaparse.

Its client library cannot be installed together with that of the first protocol: both have the same import name.
"""
