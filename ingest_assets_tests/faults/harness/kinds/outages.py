"""What all documents need is away, slow, full or lying for a while: the object store, the services."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random

from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.faults.harness.deployment.patient import Patient
from ingest_assets_tests.faults.harness.deployment.services import failing, slowed
from ingest_assets_tests.faults.harness.kinds.fault import Act, Fault, Struck, Work, lasting

LEASES = 2.0
SLOW_SECONDS = 4.0
SLOW_OPENING_SECONDS = 1.0

Outage = Callable[[Patient], AbstractContextManager[None]]
DISK = None if os.geteuid() == 0 else "mounting needs root"


def during(outage: Outage, kind: str | None) -> Act:
    """Let the outage last for a few leases; documents arrive meanwhile."""

    def act(patient: Patient, chance: Random) -> Struck:
        time.sleep(chance.uniform(0, 1))
        begun = time.time()
        with outage(patient):
            patient.library.write_new(2, kind)
            patient.submit_pending()
            time.sleep(max(0.0, begun + LEASES * patient.lease.total_seconds() - time.time()))
        return lasting(f"for {time.time() - begun:.0f} s", begun)

    return act


def openai_fails(fault: openai.Fault) -> Outage:
    return lambda patient: failing(patient.services.embedding, fault)


def llamaparse_fails(fault: llamaparse.Fault) -> Outage:
    return lambda patient: failing(patient.services.parsing, fault)


OUTAGES: tuple[tuple[str, Outage, Work, str | None], ...] = (
    ("store away", lambda patient: patient.store.away(), Work.BACKLOG, None),
    ("store full", lambda patient: patient.store.full(), Work.BACKLOG, DISK),
    ("store read-only", lambda patient: patient.store.read_only(), Work.BACKLOG, DISK),
    ("store slow", lambda patient: patient.store.slow(SLOW_OPENING_SECONDS), Work.BACKLOG, DISK),
    ("store unmounted", lambda patient: patient.store.unmounted(), Work.BACKLOG, DISK),
    ("OpenAI slow", lambda patient: slowed(patient.services.embedding.pace, SLOW_SECONDS), Work.BACKLOG, None),
    ("OpenAI silent", openai_fails(openai.Fault.STALL), Work.BACKLOG, None),
    ("OpenAI failing", openai_fails(openai.Fault.SERVER_ERROR), Work.BACKLOG, None),
    ("OpenAI resetting connections", openai_fails(openai.Fault.RESET), Work.BACKLOG, None),
    ("OpenAI lying", openai_fails(openai.Fault.NOT_A_NUMBER), Work.BACKLOG, None),
    ("OpenAI refusing the key", openai_fails(openai.Fault.KEY_REFUSED), Work.BACKLOG, None),
    ("LlamaParse slow", lambda patient: slowed(patient.services.parsing.pace, SLOW_SECONDS), Work.PAGES, None),
    ("LlamaParse silent", llamaparse_fails(llamaparse.Fault.STALL), Work.PAGES, None),
    ("LlamaParse failing", llamaparse_fails(llamaparse.Fault.SERVER_ERROR), Work.PAGES, None),
    ("LlamaParse lying", llamaparse_fails(llamaparse.Fault.HTML_PAGES), Work.PAGES, None),
)

LASTING = tuple(
    Fault(name, during(outage, "pdf" if work is Work.PAGES else None), work, missing=missing)
    for name, outage, work, missing in OUTAGES
)
