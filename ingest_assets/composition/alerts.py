"""Who hears of failures."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment
    from ingest_assets.pipeline.alerting import Alerting
    from ingest_assets.pipeline.ports.alerting import AlertReceiver


def make_alerting(deployment: "Deployment") -> "Alerting":
    """Return what sends alerts, or does nothing if no address is set."""
    from ingest_assets.adapters.postgres.queue.alerts import PostgresAlertRecords
    from ingest_assets.pipeline.alerting import Alerting

    records = PostgresAlertRecords(deployment.database)
    return Alerting(deployment.documents, records, _receiver(deployment), deployment.clock)


def _receiver(deployment: "Deployment") -> "AlertReceiver | None":
    from ingest_assets.adapters.alert_webhook import AlertWebhook

    url = deployment.settings.alert_webhook_url
    return None if url is None else AlertWebhook(url.get_secret_value())
