"""The sensor that tells somebody what is wrong. It starts nothing, and what it cannot send holds nothing up."""

import dagster as dg

from ingest_assets.pipeline.alerting import Alerting
from ingest_assets.settings import Settings

SECONDS_BETWEEN = 30


def alert_of_failures_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor, which runs if the settings say where alerts go."""
    is_wanted = settings.alert_webhook_url is not None

    @dg.sensor(
        name="alert_of_failures",
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.RUNNING if is_wanted else dg.DefaultSensorStatus.STOPPED,
        description="Posts each condition that holds to INGEST_ALERT_WEBHOOK_URL, once an hour, and its end.",
    )
    def alert_of_failures(alerting: dg.ResourceParam[Alerting]) -> dg.SkipReason:
        if not is_wanted:
            return dg.SkipReason("INGEST_ALERT_WEBHOOK_URL is not set.")
        return dg.SkipReason(f"Alerts sent: {alerting.send_due()}.")

    return alert_of_failures
