"""What an outside service's HTTP status means to the pipeline, where the service itself says nothing better."""

CODES: dict[int, str] = {
    401: "service_key_refused",
    402: "service_quota_spent",
    403: "service_key_refused",
    404: "service_unknown_address",
    405: "service_unknown_address",
    408: "service_slow",
    409: "service_unavailable",
    425: "service_unavailable",
    429: "service_busy",
    504: "service_slow",
}
"""To codes of the error catalogue."""
