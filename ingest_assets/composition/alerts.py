"""Who hears of what is wrong."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment
    from ingest_assets.pipeline.alerting import Alerting
    from ingest_assets.pipeline.ports.alerting import AlertReceiver


def make_alerting(deployment: "Deployment") -> "Alerting":
    """Return what sends alerts, or does nothing if no address is set."""
    from ingest_assets.adapters.postgres.queue.alerts import PostgresAlertRecords, PostgresReadings
    from ingest_assets.pipeline.alerting import Alerting

    return Alerting(
        documents=deployment.documents,
        measuring=deployment.measuring,
        readings=PostgresReadings(deployment.database),
        records=PostgresAlertRecords(deployment.database),
        receiver=_receiver(deployment),
        clock=deployment.clock,
        host=deployment.instance_name,
    )


def _receiver(deployment: "Deployment") -> "AlertReceiver | None":
    from ingest_assets.adapters.alert_webhook import AlertWebhook

    settings = deployment.settings
    url = settings.alert_webhook_url
    return None if url is None else AlertWebhook(url.get_secret_value(), settings.alert_format)
