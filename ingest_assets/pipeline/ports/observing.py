"""The port through which the pipeline and its adapters tell what happens."""

from typing import Protocol

from ingest_assets.domain.facts import Fact


class Observer(Protocol):
    def observe(self, fact: Fact) -> None:
        """Take notice of a fact; any thread may call this, and it must be quick and must not raise."""
