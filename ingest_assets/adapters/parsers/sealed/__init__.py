"""The code that runs inside the sealed worker, and nothing else.

The worker imports nothing else of this project but `domain` and `posix`. Other code imports only the protocol that both
sides speak: `frames`, `limits` and `seals`.
"""
