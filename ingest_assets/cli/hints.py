"""What a person can do about an error with a command.

The catalogue of errors names no commands, because Dagster's page and the HTTP service show its hints too. These hints
replace its own on the command line, also for errors that the database has kept. Commands stand in backticks.
"""

from collections.abc import Mapping
from uuid import UUID

from ingest_assets.domain.errors.remedies import Remedy

DOCUMENT = "DOCUMENT"
"""Stands for a document's id in a command."""

HINTS: Mapping[str, str] = {
    "link_leaves_folder": "Submit its target, or give `--follow-links` if everything that links lead to is meant.",
    "prune_suspicious": "Check that everything is mounted. To remove the documents anyway, give `--prune-all`.",
    "not_from_a_file": "Send the corrected content from the same source again, or remove the document: "
    "`ingest delete DOCUMENT`",
    "service_refused": "Check the model and its settings against the provider's documentation, then replay the "
    "document: `ingest retry DOCUMENT`",
    "service_job_unidentified": "Ask the provider why, then replay the document: `ingest retry DOCUMENT`. It is sent "
    "again, which may cost as much again.",
    "service_job_failed": "Check that the document opens; if it does, replay it later: `ingest retry DOCUMENT`",
    "service_result_unusable": "Look at the provider's status page, then replay the document: `ingest retry DOCUMENT`",
    "key_unset": "Set that variable, or the one that ends in _FILE to a file that contains the key, and start again: "
    "`ingest up`",
    "service_key_refused": "Correct the key, in the variable or in the file that it names, and start again: "
    "`ingest up`. What waits then resumes by itself.",
    "service_away": "You need not do anything: work resumes by itself, as `ingest status --watch` shows. If this goes "
    "on, look at the provider's status page.",
    "crashed_worker": "Look into the worker's log, then replay the document: `ingest retry DOCUMENT`",
    "parser_killed": "If it happens again, find out what ends processes on this host, then replay the document: "
    "`ingest retry DOCUMENT`",
    "host_out_of_memory": "Give the host or the container more memory, or lower INGEST_DRAIN_WORKERS, then replay the "
    "document: `ingest retry DOCUMENT`",
    "document_budget_spent": "Raise INGEST_BUDGET_USD_PER_DOCUMENT, restart the workers, then replay the document: "
    "`ingest retry DOCUMENT`",
    "provider_paused": "Resume them when they are wanted again: `ingest resume`",
    "cancelled": "When it is wanted again: `ingest retry DOCUMENT`",
    "unknown_document": "It was never taken in, or it was deleted. Look for it: `ingest list --name PART_OF_ITS_NAME`",
    "not_failed": "See where it stands: `ingest explain DOCUMENT`",
    "not_queued": "See where one stands: `ingest explain DOCUMENT`",
    "not_finished": "See where one stands: `ingest explain DOCUMENT`",
    "wrong_usage": "To see the options, give `--help`.",
    "user_missing": "Give `--user UUID`, or set INGEST_USER_ID.",
    "home_in_use": "Use the `ingest up` that already runs, stop it first, or set INGEST_HOME to another folder.",
    "database_unreachable": "Check that the server runs and that INGEST_DATABASE_URL names it; work then resumes by "
    "itself, as `ingest status --watch` shows.",
    "database_refused": "Check the login, the password and the name of the database in INGEST_DATABASE_URL, then try "
    "again: `ingest doctor`",
    "intake_unconfirmed": "Submit them again: `ingest submit PATH`. Nothing is taken in twice.",
    "schema_outdated": "Migrate the schema: `ingest migrate`; if `ingest up` is just starting, wait for it.",
    "role_denied": "Log in as a superuser or as the owner and run `ingest migrate`, or grant the role to this login.",
    "rows_unprotected": "Run `ingest migrate`. A table that was changed by hand needs ENABLE and FORCE ROW LEVEL "
    "SECURITY again.",
    "backup_missing": "Check that it is mounted and that it is the folder that was given to `ingest backup DIR`.",
    "backup_unfinished": "Restore an earlier one, or make another: `ingest backup DIR`",
    "backup_overtaken": "Let the encryption end, then make the backup again: `ingest encrypt`, `ingest backup DIR`",
    "deletion_incomplete": "The deletion is tried again every hour; to repeat it now: `ingest delete DOCUMENT`",
}
"""By error code."""

_SEE_WHY = "See why: `ingest explain DOCUMENT`"
FAILED_BEFORE: Mapping[Remedy, str] = {
    Remedy.CORRECT: f"The same content failed before and would fail again: change the file, then submit it. {_SEE_WHY}",
    Remedy.ADJUST: "It failed before. Change the setting and restart the workers, then try it again: "
    f"`ingest retry DOCUMENT`. {_SEE_WHY}",
} | dict.fromkeys(
    (Remedy.WAIT, Remedy.REPLAY, Remedy.RESUBMIT),
    f"It failed before. {_SEE_WHY}; try it again: `ingest retry DOCUMENT`",
)
"""What to do about a file that is submitted again, unchanged, although its document is a dead letter."""
NOBODY_WORKS = "Nothing has happened for a while. To see why: `ingest doctor`"
NOTHING_FOUND = "Nothing found. To see how many documents are searchable: `ingest status`"


def hint_of(code: str | None, neutral: str | None) -> str | None:
    """Return the hint for an error on the command line: the one with a command if there is one, or `neutral`."""
    return HINTS.get(code or "", neutral)


def filled_in(hint: str | None, document_id: UUID | str | None) -> str | None:
    """Return a hint whose commands name the document, if there is one."""
    return hint.replace(DOCUMENT, str(document_id)) if hint and document_id else hint
