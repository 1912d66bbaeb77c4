"""Who hears of what is wrong."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest_assets.composition.deployment import Deployment
    from ingest_assets.pipeline.alerting import Alerting
    from ingest_assets.pipeline.ports.alerting import AlertReceiver
    from ingest_assets.pipeline.summarising import Summarising


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


def make_summarising(deployment: "Deployment") -> "Summarising":
    """Return what sends summaries, or does nothing if no address is set."""
    from ingest_assets.domain.alerting.summaries import Limits
    from ingest_assets.pipeline.summarising import Summarising

    alerting, settings = deployment.alerting, deployment.settings
    return Summarising(
        documents=deployment.documents,
        flows=deployment.flows,
        measuring=deployment.measuring,
        readings=alerting.readings,
        records=alerting.records,
        receiver=alerting.receiver,
        limits=Limits(settings.drain_workers, settings.budget_usd_per_day),
    )


def _receiver(deployment: "Deployment") -> "AlertReceiver | None":
    from ingest_assets.adapters.alert_webhook import AlertWebhook

    settings = deployment.settings
    url = settings.alert_webhook_url
    return None if url is None else AlertWebhook(url.get_secret_value(), settings.alert_format)
