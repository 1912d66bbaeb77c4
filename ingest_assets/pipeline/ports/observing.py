"""Where the pipeline and its adapters tell what happens."""

from typing import Protocol

from ingest_assets.domain.facts import Fact


class Observer(Protocol):
    def observe(self, fact: Fact) -> None:
        """Take notice of a fact. Called from any thread; it must be quick and must not raise."""
