"""How many statements a drained document costs, as the server itself counts them."""

from pathlib import Path

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State
from ingest_assets_tests.conftest import deployment_for, settings_for
from ingest_assets_tests.documents import drain_all, policy_text, submit
from ingest_assets_tests.statements import Statement, counted_statements, table

MOST = 8
PARAGRAPHS = 27
"""About 10 KB."""
STATE = "SELECT state FROM upload_pipeline.upload_jobs LIMIT 1"
LEASES = "renew_leases"
"""Come by the clock, not by the document."""


def _drained(database_url: str, home: Path, user: UserId, parser: LocalParser, documents: int) -> list[Statement]:
    """Return what one worker executes until these documents are done."""
    with (
        counted_statements(database_url, STATE) as (url, record),
        deployment_for(settings_for(url, home), parser) as deployment,
    ):
        for number in range(documents):
            submit(deployment, user, policy_text(f"Subject {number}", PARAGRAPHS), f"{number}.md")
        submitted = len(record.statements)
        assert drain_all(deployment).done == documents
        if documents == 1:
            return [each for each in record.between(State.WORKING, State.DONE) if each.name != LEASES]
        return record.statements[submitted:]


def test_a_document_alone_takes_at_most_eight_statements_from_its_claim_until_it_is_done(
    database_url: str, tmp_path: Path, user: UserId, parser: LocalParser
) -> None:
    assert 9_500 < len(policy_text("Subject 0", PARAGRAPHS)) < 10_500
    statements = _drained(database_url, tmp_path, user, parser, 1)
    assert len(statements) <= MOST, table(statements)


def test_fifty_documents_take_at_most_eight_statements_each_with_all_that_the_worker_does(
    database_url: str, tmp_path: Path, user: UserId, parser: LocalParser
) -> None:
    statements = _drained(database_url, tmp_path, user, parser, 50)
    assert len(statements) <= 50 * MOST, table(statements)
