"""What one document adds to the memory of a warm worker: `python -m … <database url> <home> <file>`."""

import sys
from pathlib import Path
from uuid import uuid4

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.conftest import deployment_for, settings_for
from ingest_assets_tests.documents import MAX_BYTES, drain_all, ingest, policy_text, submit

ROWS = "| item | sum |\n|---|---|\n" + "".join(f"| item {number} | {number * 7} |\n" for number in range(60))
MEASURABLE = Path("/proc/self/clear_refs")


def large_markdown(first_character: str, most_bytes: int = MAX_BYTES) -> bytes:
    """Return headings, paragraphs and tables; one character decides how many bytes Python needs for each."""
    parts, size, number = [first_character], 0, 0
    while size < most_bytes:
        parts.append(f"{policy_text(f'Subject {number}', 40)}\n\n{ROWS}\n")
        size += len(parts[-1])
        number += 1
    return "".join(parts).encode()[:most_bytes]


def resident_mb(figure: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(figure)) >> 10


def added_mb(database_url: str, home: Path, file: Path) -> int:
    user = UserId(uuid4())
    parser = LocalParser()
    with deployment_for(settings_for(database_url, home), parser) as deployment:
        ingest(deployment, user, policy_text(), "warm.md")
        MEASURABLE.write_text("5")  # from here on, VmHWM is the peak since here
        before = resident_mb("VmRSS")
        submit(deployment, user, file.read_bytes(), "large.md")
        totals = drain_all(deployment)
        added = resident_mb("VmHWM") - before
    parser.close()
    if totals.done != 1:
        raise RuntimeError("the document did not become searchable")
    return added


if __name__ == "__main__":
    sys.stdout.write(str(added_mb(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
