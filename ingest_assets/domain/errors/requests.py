"""What can be wrong with a request: who sends it, how often, and what it asks for."""

from ingest_assets.domain.errors.error import PermanentError, Problem, ResourceError, TransientError

PROBLEMS = {
    "authentication_missing": Problem(
        PermanentError,
        "No setting says how access tokens are checked.",
        "Set INGEST_JWT_SECRET or INGEST_JWT_JWKS_URL.",
    ),
    "token_missing": Problem(PermanentError, "The request has no access token.", "Send an access token."),
    "token_invalid": Problem(
        PermanentError, "The access token is not valid here.", "Sign in again and send the new token."
    ),
    "token_expired": Problem(PermanentError, "The access token has expired.", "Sign in again and send the new token."),
    "signing_keys_unreachable": Problem(
        TransientError,
        "The keys that sign access tokens cannot be fetched.",
        "Check INGEST_JWT_JWKS_URL; the keys are fetched again with the next request.",
    ),
    "signature_invalid": Problem(
        PermanentError,
        "The callback is not signed by the provider that it claims to come from.",
        "Check that INGEST_LLAMAPARSE_WEBHOOK_SECRET is the secret that the provider signs with.",
    ),
    "metrics_refused": Problem(
        PermanentError,
        "The request does not have the token of the metrics.",
        "Send the token of INGEST_METRICS_TOKEN as a bearer token; a user's token does not count.",
    ),
    "metrics_closed": Problem(
        PermanentError,
        "Nobody may read the metrics, because they have no token.",
        "Set INGEST_METRICS_TOKEN_FILE to a file with 32 or more characters, and restart the service.",
    ),
    "dashboards_refused": Problem(
        PermanentError,
        "The request does not have the password of the dashboards.",
        "Send the password in the file of INGEST_OPS_PASSWORD_FILE by HTTP Basic, with any user name.",
    ),
    "dashboards_closed": Problem(
        PermanentError,
        "Nobody may see the dashboards, because they have no password.",
        "Set INGEST_OPS_PASSWORD_FILE to a file with a password, and restart the service.",
    ),
    "rate_limited": Problem(
        ResourceError, "There were more than {limit} requests in a minute.", "Try again in {seconds} seconds."
    ),
    "uploads_of_user_full": Problem(
        ResourceError, "Too much of what this user uploads is still arriving.", "Upload fewer files at a time."
    ),
    "uploads_full": Problem(
        ResourceError, "The service is taking in as much as it can.", "Try again in a few seconds."
    ),
    "downloads_of_user_full": Problem(
        ResourceError, "This user is reading as many documents as one may at a time.", "Read those to the end first."
    ),
    "downloads_full": Problem(
        ResourceError, "The service is handing out as many documents as it can.", "Try again in a few seconds."
    ),
    "streams_of_user_full": Problem(
        ResourceError, "This user follows the events over as many connections as one may.", "Close one of them first."
    ),
    "streams_full": Problem(
        ResourceError, "As many callers follow events as the service can serve.", "Try again in a few seconds."
    ),
    "idempotency_conflict": Problem(
        PermanentError,
        "This idempotency key was used for another content.",
        "Use a new key for each new content.",
    ),
    "invalid_request": Problem(PermanentError, "The request is not understood: {what}", "Correct the request."),
    "request_timeout": Problem(
        TransientError, "The request took more than {seconds} seconds to arrive.", "Send it again."
    ),
    "unknown_path": Problem(PermanentError, "There is nothing at this path.", "Check the path."),
    "method_not_allowed": Problem(PermanentError, "This path does not support this method.", "Check the method."),
    "wrong_usage": Problem(PermanentError, "{what}", "Correct it and try again."),
    "ambiguous_name": Problem(PermanentError, "{found} documents may be meant.", "Name one of them by its id."),
    "invalid_id": Problem(PermanentError, "{name} is not a UUID.", "Write it as 8-4-4-4-12 hexadecimal digits."),
    "user_missing": Problem(PermanentError, "No user is named.", "Set INGEST_USER_ID to the user's UUID."),
}
