"""What keeps a worker from the rest of the system; how much of it there is depends on the system."""

from enum import StrEnum


class Seal(StrEnum):
    FILTER = "filter"
    """The kernel lets it make only the system calls on a list."""
    LANDLOCK = "landlock"
    """The kernel lets it open no file and signal no other process, whatever calls it makes."""
    NAMESPACES = "namespaces"
    """It has a network and shared memory of its own, in which there is nothing."""
    USER = "user"
    """It runs as a user who owns nothing and is nobody else; only root can do so."""
    THREADS = "threads"
    """It cannot have many threads."""
