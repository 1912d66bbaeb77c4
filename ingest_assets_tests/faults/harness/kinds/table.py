"""All faults. The short set meets the most important kind of each once."""

from ingest_assets_tests.faults.harness.kinds.connections import CUTS
from ingest_assets_tests.faults.harness.kinds.fault import Fault
from ingest_assets_tests.faults.harness.kinds.frozen import FROZEN
from ingest_assets_tests.faults.harness.kinds.in_flight import IN_FLIGHT
from ingest_assets_tests.faults.harness.kinds.kills import KILLS
from ingest_assets_tests.faults.harness.kinds.outages import LASTING

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*KILLS, *CUTS, *FROZEN, *LASTING, *IN_FLIGHT)}

SHORT = (
    "a new version of a document in work",
    "kill drain worker",
    "kill submit",
    "cut a statement on document_chunks",
    "kill parser",
    "kill daemon",
    "kill postmaster",
    "kill up",
)


def possible() -> list[Fault]:
    return [fault for fault in FAULTS.values() if fault.missing is None]
