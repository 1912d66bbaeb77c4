"""What can be wrong with the machine, the databases and the document store."""

from ingest_assets.domain.errors.error import OutageError, PermanentError, Problem, ResourceError, TransientError

STATEMENT_RETRIES = 10
"""How often a document waits because of its own statements: it may be what makes them fail."""

PROBLEMS = {
    "home_in_use": Problem(
        PermanentError,
        "Everything already runs on this home, in another process.",
        "Use that one, stop it first, or set INGEST_HOME to another folder.",
    ),
    "home_not_private": Problem(
        PermanentError,
        "The home, or a lock in it, belongs to another user, who could replace what is in it.",
        "Set INGEST_HOME to a folder of your own.",
    ),
    "ui_password_missing": Problem(
        PermanentError,
        "The file with the password of the UI is missing, empty or unreadable.",
        "Put the password into the file that INGEST_UI_PASSWORD_FILE names.",
    ),
    "instance_name_shared": Problem(
        PermanentError,
        "Another deployment on this database has the same name.",
        "Set INGEST_INSTANCE to another name in one of them, or delete the file `instance` in its home, and start it "
        "again.",
    ),
    "processes_linger": Problem(
        PermanentError,
        "The processes of an earlier start have not ended after {seconds} seconds.",
        "Wait until they have ended, or end them yourself; then start again.",
    ),
    "database_unreachable": Problem(
        OutageError,
        "The database does not answer.",
        "Check that the server runs and that INGEST_DATABASE_URL names it; work then resumes by itself.",
    ),
    "extra_missing": Problem(
        PermanentError,
        "{what} needs the extra `{name}`, which is not installed.",
        "Install it beside ingest-assets: pip install 'ingest-assets[{name}]'.",
    ),
    "pooler_in_between": Problem(
        PermanentError,
        "A backup needs a session of its own, and a pooler stands between here and the database server.",
        "Set INGEST_DIRECT_DATABASE_URL to a URL that leads to the server itself, or to a pooler in session mode.",
    ),
    "database_refused": Problem(
        OutageError,
        "The database server answers, but it refuses the login, or has no such database.",
        "Check the login, the password and the name of the database in INGEST_DATABASE_URL; work then resumes by "
        "itself.",
    ),
    "database_url_invalid": Problem(
        PermanentError,
        "The URL of the database is none.",
        "INGEST_DATABASE_URL, or INGEST_DAGSTER_DATABASE_URL, must look like postgresql://login@host/database.",
    ),
    "setting_invalid": Problem(
        PermanentError,
        "{what}",
        "Correct this environment variable, or unset it for its default.",
    ),
    "database_untrusted": Problem(
        OutageError,
        "The database server's certificate could not be verified.",
        "Add sslrootcert=system to the parameters of the URL if a public authority has signed it, or else sslrootcert "
        "with the file of the authority's certificate; the URL must name the server as the certificate does. Work then "
        "resumes by itself.",
    ),
    "encryption_undecided": Problem(
        PermanentError,
        "The database is on another machine, and its URL does not say whether the connection must be encrypted.",
        "Add sslmode=verify-full&sslrootcert=system to the parameters of the URL (or sslrootcert with the file of your "
        "own authority's certificate), or sslmode=disable if others may read along.",
    ),
    "database_read_only": Problem(
        OutageError,
        "The database takes no changes.",
        "Check that INGEST_DATABASE_URL names the primary server; work then resumes by itself.",
    ),
    "database_locked": Problem(
        ResourceError,
        "Another session has kept a lock in the database for more than {seconds} seconds.",
        "Try again: a session that does nothing loses its locks by itself.",
        retries=STATEMENT_RETRIES,
    ),
    "database_slow": Problem(
        ResourceError,
        "The database took more than {seconds} seconds for one statement.",
        "Try again later; if this goes on, look at the load of the server.",
        retries=STATEMENT_RETRIES,
    ),
    "database_failed": Problem(
        ResourceError,
        "The database could not carry out a statement (SQLSTATE {found}).",
        "Look up the state in the PostgreSQL documentation, and the moment in the server's log.",
        retries=STATEMENT_RETRIES,
    ),
    "intake_unconfirmed": Problem(
        TransientError,
        "The database did not confirm that it has taken the files in.",
        "Submit them again: files that it has taken in are not taken in twice.",
    ),
    "database_too_old": Problem(
        PermanentError, "The server is PostgreSQL {found}; {needed} or newer is needed.", "Use a newer server."
    ),
    "pgvector_missing": Problem(
        PermanentError,
        "The database does not have pgvector {needed} or newer.",
        "Install the `vector` extension on the server; see its documentation.",
    ),
    "pgvector_closed": Problem(
        PermanentError,
        "pgvector is on the server, but not for this system: it is not switched on in the database, and the login may "
        "not do that, or the login may not let the system's roles use the schema that pgvector is in.",
        "Have the `vector` extension switched on by a superuser, who also grants USAGE on its schema to ingest_owner, "
        "ingest_worker and ingest_reader.",
    ),
    "schema_outdated": Problem(
        OutageError,
        "The database's schema is older than this code.",
        "Apply the migrations; if the system is just starting, wait a few seconds.",
    ),
    "schema_newer": Problem(
        ResourceError,
        "The database's schema is newer than this code: it has the migration {name}, which this code does not know.",
        "Install the release that applied the migration, or a newer one, and start again.",
    ),
    "role_denied": Problem(
        OutageError,
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
    "process_keeps_ending": Problem(
        PermanentError,
        "{name} ended {found} times in a row, so everything was stopped.",
        "Read its log, {place} below INGEST_HOME; then start everything again.",
    ),
    "alert_refused": Problem(
        TransientError,
        "The receiver of alerts has not accepted one: {found}.",
        "Check INGEST_ALERT_WEBHOOK_URL; the alert is sent again within a minute.",
    ),
    "storage_full": Problem(
        OutageError,
        "There is no space left where documents are stored.",
        "Free some space; work then resumes by itself.",
    ),
    "store_mismatched": Problem(
        OutageError,
        "The document store belongs to another database.",
        "Check INGEST_DATABASE_URL and INGEST_STORAGE_URL: one of them names another deployment's.",
    ),
    "sweep_suspicious": Problem(
        PermanentError,
        "{found} of the {objects} stored objects belong to no document, so nothing was removed.",
        "Check that INGEST_DATABASE_URL names the right database, and that no older one was restored. To have the next "
        "sweep remove them anyway, set INGEST_ORPHANS_SWEPT to {found}.",
    ),
    "master_key_missing": Problem(
        OutageError,
        "Stored documents are encrypted, and the master key is missing, unreadable or no key.",
        "Set INGEST_MASTER_KEY_FILE, wherever documents are stored or read, to a file with the key: 64 hexadecimal "
        "digits; work then resumes by itself.",
    ),
    "master_key_wrong": Problem(
        OutageError,
        "The master key is not the one with which documents were encrypted.",
        "Add the former key as a further line to the file that INGEST_MASTER_KEY_FILE names; work then resumes by "
        "itself.",
    ),
    "object_tampered": Problem(
        PermanentError,
        "The stored object was changed, or put in the place of another one.",
        "Find out who could write to the document store, and submit the same file again.",
    ),
    "storage_failed": Problem(
        OutageError,
        "The document store cannot be read or written.",
        "Check INGEST_STORAGE_URL, that its disk is mounted or its bucket answers, and the permissions; work then "
        "resumes by itself.",
    ),
    "backup_missing": Problem(
        PermanentError,
        "There is no backup in this folder.",
        "Check that the folder is the one, and that it is mounted.",
    ),
    "backup_unfinished": Problem(
        PermanentError,
        "The backup has no manifest: it was interrupted before it was complete.",
        "Use an earlier one.",
    ),
    "backup_under_way": Problem(
        PermanentError, "Another backup into this folder is being made.", "Wait until it is complete."
    ),
    "backup_folder_unusable": Problem(
        PermanentError,
        "The folder of the backup cannot be read or written.",
        "Check that it is mounted, that there is space left, and its permissions.",
    ),
    "backup_damaged": Problem(
        PermanentError,
        "The file {place} of the backup is missing, or not as it was written.",
        "Use another copy of this backup, or an earlier one.",
    ),
    "backup_newer": Problem(
        PermanentError,
        "The backup has the format {found}, and this code knows formats up to {needed}.",
        "Install the release that made it, or a newer one.",
    ),
    "backup_overtaken": Problem(
        PermanentError,
        "Stored documents were encrypted with a new key while the backup was made.",
        "Make the backup again once they are all encrypted.",
    ),
    "place_not_empty": Problem(
        PermanentError,
        "A backup is restored into an empty place only, and {place} is not empty.",
        "Name an empty database and an empty folder with INGEST_HOME, or with INGEST_DATABASE_URL and "
        "INGEST_STORAGE_URL.",
    ),
    "server_older_than_backup": Problem(
        PermanentError,
        "The backup comes from PostgreSQL {needed}, and the server is PostgreSQL {found}.",
        "Use a server of that version, or a newer one.",
    ),
    "client_programs_missing": Problem(
        PermanentError,
        "There is no pg_dump with pg_restore and psql of PostgreSQL {needed} or newer.",
        "Install the server's client programs, and have PATH lead to them.",
    ),
    "roles_missing": Problem(
        PermanentError,
        "The role {role} has rights in the backup, and this server does not have it.",
        "Create the role, then restore again.",
    ),
    "dump_failed": Problem(
        PermanentError,
        "pg_dump could not dump the database.",
        "Read what it says, {place} in the folder of the backup that is not complete.",
    ),
    "restore_failed": Problem(
        PermanentError,
        "PostgreSQL did not take the dump (SQLSTATE {found}), so nothing of it is in the database.",
        "Look up the state in the PostgreSQL documentation, and the moment in the server's log; then restore again.",
    ),
}
