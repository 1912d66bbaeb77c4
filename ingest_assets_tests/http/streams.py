"""Streams of events as a client reads them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from ingest_assets_tests.http.api import Api

PATH = "/v1/events"


@dataclass(frozen=True)
class Frame:
    """What stands between two empty lines."""

    fields: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        return dict(self.fields)[name]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.fields]

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self["data"]))


class Stream:
    """A stream that has begun: what happens from now on is told."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._frames = _frames(answer.iter_lines())
        self.begun = next(self.frames)

    @property
    def frames(self) -> Iterator[Frame]:
        """All frames but comments."""
        return (frame for frame in self._frames if frame.names != [""])

    def told(self) -> dict[str, Any]:
        """The next event's data."""
        return next(self.frames).data

    def comment(self) -> str:
        """The next comment."""
        return next(frame[""] for frame in self._frames if frame.names == [""])


@contextmanager
def following(api: Api, after: object = None) -> Iterator[Stream]:
    """Follow the events until the end of the block."""
    headers = {"Authorization": f"Bearer {api.token}"} | ({} if after is None else {"Last-Event-ID": str(after)})
    with api.client.stream("GET", f"{api.url}{PATH}", headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        stream = Stream(answer)
        yield stream


def _frames(lines: Iterator[str]) -> Iterator[Frame]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields.append((name, value.removeprefix(" ")))
        elif fields:
            yield Frame(tuple(fields))
            fields = []
