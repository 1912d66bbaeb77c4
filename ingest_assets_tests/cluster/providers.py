"""The emulated providers on the network of the hosts; each call takes as long as it would across the internet."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ingest_assets_tests.cluster.network import HERE
from ingest_assets_tests.faults.harness.deployment.services import BookedLlamaParse, BookedOpenAI, Services


class DistantOpenAI(BookedOpenAI):
    address = HERE


class DistantLlamaParse(BookedLlamaParse):
    address = HERE


@contextmanager
def distant_providers(seconds: float) -> Iterator[Services]:
    with ExitStack() as stack:
        services = Services(stack.enter_context(DistantOpenAI()), stack.enter_context(DistantLlamaParse()))
        services.embedding.pace.seconds = services.parsing.pace.seconds = seconds
        yield services
