"""What can be wrong with the machine, the databases and the document store."""

from ingest_assets.domain.errors.error import PermanentError, Problem, ResourceError, TransientError

PROBLEMS = {
    "home_in_use": Problem(
        PermanentError,
        "Everything already runs on this home, in another process.",
        "Use that one, stop it first, or set INGEST_HOME to another folder.",
    ),
    "database_unreachable": Problem(
        TransientError,
        "The database does not answer.",
        "Check that the server runs and that INGEST_DATABASE_URL names it.",
    ),
    "database_too_old": Problem(
        PermanentError, "The server is PostgreSQL {found}; {needed} or newer is needed.", "Use a newer server."
    ),
    "pgvector_missing": Problem(
        PermanentError,
        "The database does not have pgvector {needed} or newer.",
        "Install the `vector` extension on the server; see its documentation.",
    ),
    "database_not_migrated": Problem(
        PermanentError,
        "The database's schema is not up to date.",
        "Apply the migrations; if the system is just starting, wait a few seconds.",
    ),
    "role_denied": Problem(
        PermanentError,
        "The database's login may not act as {role}.",
        "Apply the migrations as a superuser or as the owner, or GRANT {role} to the login.",
    ),
    "rows_unprotected": Problem(
        PermanentError,
        "Row-level security does not hold on {tables}.",
        "Apply the migrations. A table that was changed by hand needs ENABLE and FORCE ROW LEVEL SECURITY again.",
    ),
    "migration_changed": Problem(
        PermanentError,
        "Migration {name} has changed since it was applied.",
        "Restore the file as it was; change the schema with a new migration.",
    ),
    "database_start_failed": Problem(
        PermanentError,
        "The embedded database did not start.",
        "Read its log, postgres.log below INGEST_HOME; or name a server with INGEST_DATABASE_URL.",
    ),
    "dagster_stopped": Problem(
        PermanentError, "A Dagster process ended unexpectedly.", "Read its log, below INGEST_HOME in {folder}."
    ),
    "storage_full": Problem(
        ResourceError,
        "There is no space left where documents are stored.",
        "Free some space; work then resumes by itself.",
    ),
    "storage_failed": Problem(
        TransientError, "The document store cannot be read or written.", "Check INGEST_STORAGE_URL and its permissions."
    ),
}
