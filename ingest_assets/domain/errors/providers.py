"""What can go wrong with a provider, and what stops a call before it costs anything."""

from datetime import timedelta

from ingest_assets.domain.errors.error import (
    IngestError,
    OutageError,
    PermanentError,
    Problem,
    ResourceError,
    TransientError,
)

PROVIDER_RETRIES = 10
"""For a provider that serves other documents meanwhile: giving up takes about twenty minutes."""
OUTAGE_RETRIES = 200
"""For a provider that serves nobody: a document that alone brings it down is given up after some two hours.

While the provider's breaker is open, few documents are tried, so in a real outage hardly any comes that far.
"""

COSTLY_RETRIES = 20
"""The same if each try may have cost something."""

PROBLEMS = {
    "service_busy": Problem(
        TransientError,
        "{name} limits how often it may be called.",
        "You need not do anything: the call is repeated later. If this goes on, ask the provider for a higher limit.",
        retries=PROVIDER_RETRIES,
    ),
    "service_away": Problem(
        OutageError,
        "{name} serves nobody at the moment: {what}.",
        "You need not do anything: work resumes by itself. If this goes on, look at the provider's status page.",
        retries=OUTAGE_RETRIES,
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
    "service_job_repeated": Problem(
        TransientError,
        "{name} named a job that it had named before, for another request.",
        "You need not do anything: the provider is asked for the right job before the document is sent again. If this "
        "goes on, ask the provider why.",
        retries=2,
    ),
    "service_job_unidentified": Problem(
        PermanentError,
        "{name} named a job that it had named before, for another request, and cannot be asked for the right one.",
        "Ask the provider why, then replay the document. It is sent again, which may cost as much again.",
    ),
    "service_job_failed": Problem(
        TransientError,
        "{name} gave up on the document.",
        "Check that the document opens; if it does, replay it later.",
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
    "provider_paused": Problem(
        ResourceError, "Somebody has paused the calls to {name}.", "Resume them when they are wanted again."
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
    "document_budget_spent": Problem(
        PermanentError,
        "The budget per document is spent, by what this document's calls have cost or may have cost.",
        "Raise INGEST_BUDGET_USD_PER_DOCUMENT, restart the workers, and replay the document.",
    ),
}


_CAUSES = {
    "service_slow": "it does not answer in time",
    "service_unavailable": "it fails, or cannot be reached",
    "service_garbled": "its answers cannot be read",
    "timeout": "it does not finish its work",
}
"""What may be the provider's fault or the document's, by code: it is the provider's if others fare no better."""
_LATE = ("service_slow", "timeout")
SHORTLY = timedelta(seconds=5)
LATELY = timedelta(seconds=30)


def may_be_an_outage(error: BaseException) -> bool:
    """Return whether the error is the provider's fault if others fare no better.

    A provider that says when to come again is not away.
    """
    return isinstance(error, TransientError) and error.code in _CAUSES and error.retry_after is None


def meanwhile(error: IngestError, elapsed: timedelta) -> timedelta:
    """Return how far back another document's success shows that the provider is there.

    The provider may have come to a halt just after the call began, so what it did before says nothing about a call that
    was never answered. Of a call that failed at once, the last few seconds tell enough.
    """
    return min(elapsed if error.code in _LATE else max(elapsed, SHORTLY), LATELY)


def outage_of(error: IngestError, name: str) -> OutageError:
    """Return the error that says the same of everybody; a try that may have cost something is not repeated as often."""
    outage = OutageError("service_away", name=name, what=_CAUSES[error.code])
    if error.may_have_cost:
        outage.retries = COSTLY_RETRIES
    return outage
