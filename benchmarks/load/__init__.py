"""The load test: documents and searches over HTTP at a constant rate, beside providers as slow and unsure as real ones.

Each part that uses the processor runs in a process of its own, so that what the system needs can be told from what the
test needs: the clients (`callers`), the emulated providers (`unsure_providers`), and the deployment itself.
"""
