"""Every way this system can say no: a stable code, what happened, what to do.

Messages are fixed sentences with numbers and identifiers filled in; nothing from a document, a file name or another
exception's text enters them, so an error may be shown, logged and stored anywhere.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

ASKED = "what"
"""The fact that is a sentence: on what somebody has just asked for, told to nobody else."""

_NAME = re.compile(r"[\w<][\w<> .,:/+'()-]{0,79}", re.ASCII)


class IngestError(Exception):
    """A failure with a stable `code`, a sentence on what happened and a `hint` on what a person can do."""

    kind: ClassVar[str]
    retry_after: float | None = None
    """Seconds that a provider asks to be left alone, where it says."""

    def __init__(self, code: str, **facts: object) -> None:
        problem = CATALOGUE[code]
        if not isinstance(self, problem.error):
            raise TypeError(f"{code} is a {problem.error.__name__}")
        self.code = code
        told = {name: _told(name, fact) for name, fact in facts.items()}
        self.message = problem.message.format(**told)
        self.hint = problem.hint.format(**told)
        self.retries = problem.retries
        super().__init__(f"{code}: {self.message}")


def _told(name: str, fact: object) -> object:
    """A number or a short name of something: a fact may come from a parser that a file has taken over."""
    if isinstance(fact, int | float) or name == ASKED:
        return fact
    return fact if isinstance(fact, str) and _NAME.fullmatch(fact) else "(withheld)"


class TransientError(IngestError):
    """May succeed when tried again: retried by the queue's policy, then a dead letter."""

    kind = "transient"


class PermanentError(IngestError):
    """Will fail again the same way: a dead letter at once."""

    kind = "permanent"


class ResourceError(IngestError):
    """Something the work needs is not available now: wait, burn no attempt."""

    kind = "resource"


@dataclass(frozen=True, slots=True)
class Problem:
    error: type[IngestError]
    message: str
    hint: str
    retries: int | None = None
    """How often this may be retried, where the queue's policy does not fit."""


PROVIDER_RETRIES = 10
"""A provider's bad hour is not the document's fault: about twenty minutes pass before it is given up for one."""

CATALOGUE: dict[str, Problem] = {
    # What comes in
    "path_missing": Problem(PermanentError, "There is no file or folder at this path.", "Check the path's spelling."),
    "unreadable_file": Problem(
        PermanentError, "The file cannot be read.", "Give this user read permission on it and submit it again."
    ),
    "path_unusable": Problem(
        PermanentError,
        "The path cannot be stored: it is not UTF-8, or longer than {limit} bytes.",
        "Rename the file, or move it to a folder nearer to the root.",
    ),
    "folder_loop": Problem(
        PermanentError, "This folder links back to a folder that contains it.", "Remove the link or submit its target."
    ),
    "prune_suspicious": Problem(
        PermanentError,
        "Nothing was done: all that came from one of the folders is gone, or what it lay on is not mounted.",
        "Check that everything is mounted. The documents of {found} files would go; if they shall: --prune-all.",
    ),
    "empty_file": Problem(PermanentError, "The file has no content.", "Submit the file again once it is complete."),
    "too_large": Problem(
        PermanentError,
        "The file has more than {limit} bytes.",
        "Split the document, or raise INGEST_MAX_FILE_BYTES where that is safe.",
    ),
    "unsupported": Problem(
        PermanentError,
        "This kind of file cannot be parsed.",
        "Convert it to PDF, DOCX, HTML, Markdown or another supported format.",
    ),
    "type_mismatch": Problem(
        PermanentError,
        "The content is {found}, the file's extension says {expected}.",
        "Rename the file to what it is, or export it again.",
    ),
    "polyglot": Problem(
        PermanentError,
        "The content reads as more than one kind of file.",
        "Export the document again from its source, as one kind.",
    ),
    "external_reference": Problem(
        PermanentError,
        "The document loads a part of itself from the web.",
        "Break its links to templates and objects (File, Info, Edit Links), or export it as PDF.",
    ),
    # Parsing
    "encrypted": Problem(
        PermanentError, "The document is protected by a password.", "Remove the password and submit the file again."
    ),
    "corrupt": Problem(
        PermanentError, "The document is damaged and cannot be read.", "Export the document again from its source."
    ),
    "needs_ocr": Problem(
        PermanentError,
        "The document is a scan without text.",
        "Run it through text recognition (OCR) and submit the result.",
    ),
    "empty_output": Problem(
        PermanentError,
        "Parsing gave no text.",
        "Open the document, check that it is whole and holds text, and submit it again once it does.",
    ),
    "timeout": Problem(
        TransientError,
        "Parsing took longer than {seconds} seconds.",
        "Split the document, or raise INGEST_PARSE_SECONDS.",
        retries=1,
    ),
    "out_of_memory": Problem(
        TransientError,
        "Parsing needed more than {megabytes} MB of memory.",
        "Split the document, or raise INGEST_PARSE_MEMORY_MB.",
        retries=1,
    ),
    "too_many_pages": Problem(
        PermanentError, "The document has {pages} pages, more than {limit}.", "Split the document."
    ),
    "bomb": Problem(
        PermanentError, "The file would unpack to far more than its size.", "Export the document again from its source."
    ),
    "parser_crashed": Problem(
        TransientError,
        "The parser ended abnormally on this document.",
        "Export the document again from its source.",
        retries=1,
    ),
    # Chunking and embedding
    "chunks_missing": Problem(
        PermanentError,
        "The document's text gave no chunks.",
        "Check that the document holds words, then submit it again.",
    ),
    "upstream_missing": Problem(
        PermanentError,
        "The step before this one has stored nothing for this document.",
        "Materialize the asset together with those upstream of it.",
    ),
    "vectors_invalid": Problem(
        TransientError,
        "The embedder returned {found} usable vectors for {expected} texts.",
        "Check the embedding provider; the texts are tried again.",
        retries=PROVIDER_RETRIES,
    ),
    "text_too_long": Problem(
        PermanentError,
        "A text to embed has {found} tokens; the model takes {limit}.",
        "Lower INGEST_CHUNK_CHARACTERS, or shorten the query.",
    ),
    "dimensions_unsupported": Problem(
        PermanentError,
        "The embedding model's vectors have {found} dimensions; at most {limit} can be stored.",
        "Choose a model with fewer dimensions, or one that can be asked for fewer.",
    ),
    # Providers; `name` is "The embedding provider" or "The parsing provider"
    "service_busy": Problem(
        TransientError,
        "{name} limits how often it may be called.",
        "Nothing to do: it is called again later; where this lasts, raise the limit with the provider.",
        retries=PROVIDER_RETRIES,
    ),
    "service_slow": Problem(
        TransientError,
        "{name} did not answer in time.",
        "Nothing to do: it is called again later; where this lasts, look at the provider's status page.",
        retries=PROVIDER_RETRIES,
    ),
    "service_unavailable": Problem(
        TransientError,
        "{name} fails, or cannot be reached.",
        "Check the network and the provider's status page; it is called again later.",
        retries=PROVIDER_RETRIES,
    ),
    "service_garbled": Problem(
        TransientError,
        "{name} sent an answer that cannot be read.",
        "Check the network and the provider's status page; it is called again later.",
        retries=PROVIDER_RETRIES,
    ),
    "service_refused": Problem(
        PermanentError,
        "{name} refuses the request with status {found}.",
        "Check the model and its settings against the provider's documentation, then replay with: ingest retry",
    ),
    "service_unknown_address": Problem(
        ResourceError,
        "{name} knows no such address or model.",
        "Check the base URL and the model's name; work then goes on by itself.",
    ),
    "service_key_refused": Problem(
        ResourceError, "{name} does not accept the key.", "Check the key; work then goes on by itself."
    ),
    "key_unset": Problem(
        PermanentError,
        "{provider} is chosen, but {name} is not set.",
        "Set {name}, or {name}_FILE to a file with the key.",
    ),
    "key_missing": Problem(
        ResourceError, "The file with the key is missing or empty.", "Put the key there; work then goes on by itself."
    ),
    "service_quota_spent": Problem(
        ResourceError, "{name}'s quota is spent.", "Add credit with the provider; work then goes on by itself."
    ),
    "service_job_gone": Problem(
        TransientError,
        "{name} does not know the job any more that it had accepted.",
        "Nothing to do: the document is sent again.",
        retries=2,
    ),
    "service_job_failed": Problem(
        TransientError,
        "{name} gave up on the document.",
        "Check that the document opens; where it does, replay it later with: ingest retry",
        retries=1,
    ),
    "service_result_unusable": Problem(
        TransientError,
        "{name} returned a web page instead of the document's text.",
        "Look at the provider's status page, then replay the document with: ingest retry",
        retries=1,
    ),
    # Guards before calls that cost money
    "breaker_open": Problem(
        ResourceError,
        "Calls of {name} pause, because too many of them failed.",
        "Nothing to do: it is tried again by itself; where this lasts, look at the provider's status page.",
    ),
    "service_rate_limited": Problem(
        ResourceError,
        "The rate limit of {name} lets this call through only in {seconds} seconds.",
        "Nothing to do: it is called later; where this lasts, raise the limit.",
    ),
    "budget_spent": Problem(
        ResourceError,
        "The budget per {name} is spent.",
        "Raise the budget, or wait: budgets per day and per user begin anew at midnight UTC.",
    ),
    # The queue
    "claim_lost": Problem(
        ResourceError,
        "Another worker took this document over, or a newer version replaced it.",
        "Nothing to do: whoever holds it finishes it.",
    ),
    "claimed_elsewhere": Problem(
        ResourceError,
        "Another worker is busy with this document.",
        "Wait until it has finished, or until its lease of {seconds} seconds has expired.",
    ),
    "crashed_worker": Problem(
        PermanentError,
        "Its worker died {crashes} times while it held this document.",
        "Look into the worker's log, then replay the document with: ingest retry",
    ),
    "unknown_document": Problem(
        PermanentError,
        "There is no such document.",
        "Ids are in what ingest submit and ingest status --failed print.",
    ),
    "not_failed": Problem(
        PermanentError,
        "This document is not waiting for a retry.",
        "See where it stands with: ingest explain",
    ),
    "unexpected": Problem(
        TransientError,
        "An unexpected {error} in {place}.",
        "If it happens again, report it with the code location named here.",
    ),
    # Over HTTP
    "authentication_missing": Problem(
        PermanentError,
        "Nothing says how access tokens are checked.",
        "Set INGEST_JWT_SECRET or INGEST_JWT_JWKS_URL.",
    ),
    "token_missing": Problem(
        PermanentError, "The request has no access token.", "Send the header Authorization: Bearer TOKEN."
    ),
    "token_invalid": Problem(
        PermanentError, "The access token is not valid here.", "Sign in again and send the new token."
    ),
    "token_expired": Problem(PermanentError, "The access token has expired.", "Sign in again and send the new token."),
    "signing_keys_unreachable": Problem(
        TransientError,
        "The keys that sign access tokens cannot be fetched.",
        "Check INGEST_JWT_JWKS_URL; the service tries again with the next request.",
    ),
    "signature_invalid": Problem(
        PermanentError,
        "The callback is not signed by the provider that it should come from.",
        "Check that INGEST_LLAMAPARSE_WEBHOOK_SECRET is the secret that the provider signs with.",
    ),
    "rate_limited": Problem(
        ResourceError, "There were more than {limit} requests in a minute.", "Try again in {seconds} seconds."
    ),
    "idempotency_conflict": Problem(
        PermanentError,
        "This idempotency key was used for another content.",
        "Use a new key for each new content.",
    ),
    "invalid_request": Problem(
        PermanentError, "The request is not understood: {what}", "See /openapi.json of this service."
    ),
    "request_timeout": Problem(
        TransientError, "The request took more than {seconds} seconds to arrive.", "Send it again."
    ),
    "unknown_path": Problem(PermanentError, "There is nothing at this path.", "See /openapi.json of this service."),
    "method_not_allowed": Problem(
        PermanentError, "This path does not take this method.", "See /openapi.json of this service."
    ),
    # Where it runs
    "wrong_usage": Problem(PermanentError, "{what}", "See --help."),
    "invalid_id": Problem(PermanentError, "{name} is not a UUID.", "Give it as 8-4-4-4-12 hexadecimal digits."),
    "user_missing": Problem(PermanentError, "No user is given.", "Give --user UUID, or set INGEST_USER_ID."),
    "home_in_use": Problem(
        PermanentError,
        "Another `ingest up` already runs on this home.",
        "Use that one, stop it first, or set INGEST_HOME to another folder.",
    ),
    "database_unreachable": Problem(
        TransientError,
        "The database does not answer.",
        "Check that the server runs and that INGEST_DATABASE_URL names it; `ingest doctor` tries it.",
    ),
    "database_too_old": Problem(
        PermanentError, "The server is PostgreSQL {found}; {needed} or newer is needed.", "Use a newer server."
    ),
    "pgvector_missing": Problem(
        PermanentError,
        "The database has no pgvector {needed} or newer.",
        "Install the `vector` extension on the server; see its documentation.",
    ),
    "database_not_migrated": Problem(
        PermanentError,
        "The database's schema is not up to date; `ingest up` may just be preparing it.",
        "Run: ingest migrate",
    ),
    "role_denied": Problem(
        PermanentError,
        "The database's login may not act as {role}.",
        "Log in as a superuser or the owner and run: ingest migrate; or GRANT {role} to the login.",
    ),
    "rows_unprotected": Problem(
        PermanentError,
        "Row-level security does not hold on {tables}.",
        "Run: ingest migrate. A table that was changed by hand needs ENABLE and FORCE ROW LEVEL SECURITY again.",
    ),
    "migration_changed": Problem(
        PermanentError,
        "Migration {name} was applied with another content.",
        "Restore the file as it was; change the schema by a new migration.",
    ),
    "database_start_failed": Problem(
        PermanentError,
        "The embedded database did not start.",
        "Its log is postgres.log below INGEST_HOME; or name a server with INGEST_DATABASE_URL.",
    ),
    "dagster_stopped": Problem(
        PermanentError, "A Dagster process ended by itself.", "Its log lies below INGEST_HOME in {folder}."
    ),
    "storage_full": Problem(
        ResourceError,
        "There is no space left where documents are stored.",
        "Free some space; work then goes on by itself.",
    ),
    "storage_failed": Problem(
        TransientError, "The document store cannot be read or written.", "Check INGEST_STORAGE_URL and its permissions."
    ),
    "deletion_incomplete": Problem(
        TransientError,
        "{found} things are left of the document: {place}.",
        "It is tried again every hour, or now with: ingest delete.",
    ),
    "content_missing": Problem(
        PermanentError,
        "The document's stored bytes are missing or damaged.",
        "Submit the file again.",
    ),
}
