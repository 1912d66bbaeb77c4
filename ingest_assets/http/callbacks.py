from ingest_assets.http.ports import Completion, Outcome


class NoCallbacks:
    """Of a deployment that has asked nobody to call back."""

    def by_secret(self, secret: str) -> Completion:
        del secret
        return Completion(Outcome.UNKNOWN_JOB)

    def by_job(self, service_job_id: str) -> Completion:
        del service_job_id
        return Completion(Outcome.UNKNOWN_JOB)
