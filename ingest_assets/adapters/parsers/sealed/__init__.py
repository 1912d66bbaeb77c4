"""What runs inside the sealed worker, and only that.

The worker imports nothing else of this project but `domain` and `posix`. Nobody outside imports anything from here but
the protocol that both sides speak: `frames` and `limits`.
"""
