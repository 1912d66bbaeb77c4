"""What can go wrong with a provider, and what stops a call before it costs anything."""

from ingest_assets.domain.errors.error import PermanentError, Problem, ResourceError, TransientError

PROVIDER_RETRIES = 10
"""A provider's bad hour is not the document's fault: giving up takes about twenty minutes."""

PROBLEMS = {
    "service_busy": Problem(
        TransientError,
        "{name} limits how often it may be called.",
        "You need not do anything: the call is repeated later. If this goes on, ask the provider for a higher limit.",
        retries=PROVIDER_RETRIES,
    ),
    "service_slow": Problem(
        TransientError,
        "{name} did not answer in time.",
        "You need not do anything: the call is repeated later. If this goes on, look at the provider's status page.",
        retries=PROVIDER_RETRIES,
    ),
    "service_unavailable": Problem(
        TransientError,
        "{name} fails, or cannot be reached.",
        "Check the network and the provider's status page; the call is repeated later.",
        retries=PROVIDER_RETRIES,
    ),
    "service_garbled": Problem(
        TransientError,
        "{name} sent an answer that cannot be read.",
        "Check the network and the provider's status page; the call is repeated later.",
        retries=PROVIDER_RETRIES,
    ),
    "service_refused": Problem(
        PermanentError,
        "{name} refuses the request with status {found}.",
        "Check the model and its settings against the provider's documentation, then replay the document.",
    ),
    "service_unknown_address": Problem(
        ResourceError,
        "{name} knows no such address or model.",
        "Check the base URL and the model's name; work then resumes by itself.",
    ),
    "service_key_refused": Problem(
        ResourceError, "{name} does not accept the key.", "Check the key; work then resumes by itself."
    ),
    "key_unset": Problem(
        PermanentError,
        "{provider} is chosen, but {name} is not set.",
        "Set {name}, or set {name}_FILE to a file that contains the key.",
    ),
    "key_missing": Problem(
        ResourceError,
        "The file with the key is missing or empty.",
        "Put the key there; work then resumes by itself.",
    ),
    "service_quota_spent": Problem(
        ResourceError, "{name}'s quota is spent.", "Buy more from the provider; work then resumes by itself."
    ),
    "service_job_gone": Problem(
        TransientError,
        "{name} no longer knows a job that it had accepted.",
        "You need not do anything: the document is sent again.",
        retries=2,
    ),
    "service_job_failed": Problem(
        TransientError,
        "{name} gave up on the document.",
        "Check that the document opens; if it does, replay it later.",
        retries=1,
    ),
    "service_result_unusable": Problem(
        TransientError,
        "{name} returned a web page instead of the document's text.",
        "Look at the provider's status page, then replay the document.",
        retries=1,
    ),
    "breaker_open": Problem(
        ResourceError,
        "Calls to {name} are paused because too many of them failed.",
        "You need not do anything: calls resume by themselves. If this goes on, look at the provider's status page.",
    ),
    "service_rate_limited": Problem(
        ResourceError,
        "The rate limit of {name} lets this call through only in {seconds} seconds.",
        "You need not do anything: the call is made later. If this goes on, raise the limit.",
    ),
    "budget_spent": Problem(
        ResourceError,
        "The budget per {name} is spent.",
        "Raise the budget, or wait: budgets per day and per user start again at midnight UTC.",
    ),
}
