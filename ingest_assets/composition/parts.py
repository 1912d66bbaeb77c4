"""Parts that are made on first use, once for all threads."""

from functools import cached_property
from threading import RLock
from typing import Any, Self, TypeVar, overload

Made = TypeVar("Made")


class Parts:
    """The base of classes with parts."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.replaced: dict[str, Any] = {}
        """Parts that somebody has put in the place of those made here."""


class part(cached_property[Made]):  # noqa: N801  used like a decorator
    """A cached property of Parts that two threads never make twice."""

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Made: ...

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> "Self | Made":
        if instance is None:
            return self
        with instance.lock:
            made: Made = super().__get__(instance, owner)
            return made
