"""What helps a document that ended with an error, and the command that does it.

The catalogue says what to do about the cause. This says what comes after it. Commands name ids and codes, never a path:
Dagster's page and alerts show them too.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID


class Remedy(StrEnum):
    """What brings a document back."""

    WAIT = "wait"
    """Nothing: the cause lies outside, and the document is tried again. If it was given up, replay it."""
    REPLAY = "replay"
    """Mend the cause, then try the same document again."""
    ADJUST = "adjust"
    """Change a setting, then try the same document again."""
    CORRECT = "correct"
    """Change the file, then submit it. The same content fails again."""
    RESUBMIT = "resubmit"
    """Submit the same file again: its stored bytes are gone or of no use."""


REMEDIES: Mapping[str, Remedy] = {
    **dict.fromkeys(
        (
            *(
                "breaker_open",
                "provider_paused",
                "budget_spent",
                "key_missing",
                "service_key_refused",
                "service_quota_spent",
            ),
            *("service_rate_limited", "service_unknown_address", "storage_full", "claim_lost", "claimed_elsewhere"),
            *("database_unreachable", "storage_failed", "service_busy", "service_slow", "service_unavailable"),
            *("service_garbled", "service_job_gone", "vectors_invalid", "service_away", "database_read_only"),
            "service_job_repeated",
            *(
                "parsing_slow",
                "recognition_slow",
                "database_failed",
                "database_untrusted",
                "master_key_missing",
                "master_key_wrong",
            ),
            *("database_refused", "database_locked", "database_slow", "schema_outdated", "schema_newer", "role_denied"),
        ),
        Remedy.WAIT,
    ),
    **dict.fromkeys(
        (
            *("service_refused", "service_job_failed", "service_job_unidentified", "service_result_unusable"),
            *(
                "crashed_worker",
                "unexpected",
                "upstream_missing",
                "cancelled",
                "key_unset",
                "parser_killed",
                "host_out_of_memory",
            ),
        ),
        Remedy.REPLAY,
    ),
    **dict.fromkeys(
        (
            *("timeout", "out_of_memory", "text_too_long", "dimensions_unsupported"),
            *("chunking_timeout", "chunking_out_of_memory", "document_budget_spent"),
        ),
        Remedy.ADJUST,
    ),
    **dict.fromkeys(
        (
            *("encrypted", "corrupt", "needs_ocr", "empty_output", "chunks_missing", "too_many_pages", "bomb"),
            *("parser_crashed", "polyglot", "external_reference", "type_mismatch", "unsupported", "too_large"),
            *("empty_file", "chunking_crashed"),
        ),
        Remedy.CORRECT,
    ),
    **dict.fromkeys(("content_missing", "object_tampered"), Remedy.RESUBMIT),
}
"""By the code with which a document can end."""

NEEDS_SOMEBODY = frozenset(
    {
        *("key_missing", "service_key_refused", "service_quota_spent", "service_unknown_address", "provider_paused"),
        *("master_key_missing", "master_key_wrong", "storage_full", "schema_outdated", "schema_newer", "role_denied"),
        *("database_untrusted", "database_refused", "database_read_only"),
    }
)
"""Codes of documents that are tried again by themselves, in vain until somebody has mended the cause."""

OF_NO_DOCUMENT = frozenset(
    {
        *("path_missing", "path_unusable", "unreadable_file", "folder_loop", "link_leaves_folder", "prune_suspicious"),
        *("invalid_metadata", "notification_unreadable", "source_refused", "source_unreachable"),
        *("authentication_missing", "token_missing", "token_invalid", "token_expired", "signing_keys_unreachable"),
        *("signature_invalid", "rate_limited", "idempotency_conflict", "invalid_request", "request_timeout"),
        *("uploads_of_user_full", "uploads_full", "downloads_of_user_full", "downloads_full"),
        *("streams_of_user_full", "streams_full"),
        *("metrics_closed", "metrics_refused", "dashboards_closed", "dashboards_refused"),
        *("unknown_path", "method_not_allowed", "wrong_usage", "ambiguous_name", "invalid_id", "user_missing"),
        *("unknown_document", "not_queued", "not_failed", "deletion_incomplete", "not_from_a_file"),
        *("home_in_use", "home_not_private", "ui_password_missing", "instance_name_shared", "processes_linger"),
        *(
            "database_too_old",
            "pgvector_missing",
            "pgvector_closed",
            "rows_unprotected",
            "migration_changed",
            "encryption_undecided",
        ),
        *("setting_invalid", "database_url_invalid", "pooler_in_between", "extra_missing"),
        *("database_start_failed", "dagster_stopped", "process_keeps_ending", "intake_unconfirmed", "alert_refused"),
        *("not_finished", "store_mismatched", "sweep_suspicious", "nested_too_deeply", "archive_refused"),
        *("backup_missing", "backup_unfinished", "backup_under_way", "backup_folder_unusable", "backup_damaged"),
        *("backup_newer", "backup_overtaken", "place_not_empty", "server_older_than_backup"),
        *("client_programs_missing", "roles_missing", "dump_failed", "restore_failed"),
        "too_many_attachments",
    }
)
"""Codes that answer a command or a request, or stop a process: no document ends with them."""

_ADVICE: Mapping[Remedy, str] = {
    Remedy.WAIT: "It is not tried any more. When the cause is gone, replay it.",
    Remedy.REPLAY: "Waiting does not help. When the cause is mended, replay it.",
    Remedy.ADJUST: "Waiting does not help. Change the setting, restart the workers, and replay it.",
    Remedy.CORRECT: "Waiting does not help, and the same content fails again. First change the file, keep its path, "
    "and then submit it.",
    Remedy.RESUBMIT: "Waiting does not help. Submit the same file again.",
}


def remedy_of(code: str | None) -> Remedy:
    """Return what helps; another release's code gets a replay."""
    return REMEDIES.get(code or "", Remedy.REPLAY)


def needs_a_file(code: str | None) -> bool:
    """Return whether a file must be submitted; otherwise the stored one is tried again."""
    return remedy_of(code) in (Remedy.CORRECT, Remedy.RESUBMIT)


def advice_for(code: str | None) -> str:
    """Return whether waiting helps a dead letter, and what comes before its command."""
    return _ADVICE[remedy_of(code)]


def waiting_helps(code: str | None) -> bool:
    """Return whether a document that is tried again needs nobody's help."""
    return code not in NEEDS_SOMEBODY


def does_waiting_help(code: str | None) -> str:
    """Return whether waiting helps a document that is tried again, as the beginning of a sentence."""
    return "Waiting helps" if waiting_helps(code) else "Waiting alone does not help; once the cause is mended"


def next_try(code: str | None, when: datetime | None, now: datetime) -> str:
    """Return when a waiting document is tried again; whether waiting helps is the first thing to know."""
    helps = does_waiting_help(code)
    if when is None or when <= now:
        return f"{helps}: it is tried again as soon as a worker is free."
    when = when.astimezone(UTC)
    day = "" if when.date() == now.astimezone(UTC).date() else f"{when:%Y-%m-%d} "
    return f"{helps}: it is tried again at {day}{when:%H:%M:%S} UTC."


def command_for_document(code: str | None, document_id: UUID) -> str:
    """Return the command line that brings one dead letter back."""
    return f"ingest {'submit --document' if needs_a_file(code) else 'retry'} {document_id}"


def command_for_cause(code: str, *, all_wait: bool) -> str:
    """Return the command line that brings back every document with this code.

    Args:
        code: The code.
        all_wait: Whether all of them wait for a retry; then the command has it done now.
    """
    return f"ingest {'submit' if needs_a_file(code) and not all_wait else 'retry'} --code {code}"
