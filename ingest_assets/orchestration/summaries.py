"""The Dagster job and the schedules that tell somebody what a day and a week have brought."""

import dagster as dg

from ingest_assets.domain.alerting.summaries import Period
from ingest_assets.pipeline.summarising import Summarising


class SummaryConfig(dg.Config):
    """Of what the summary is."""

    days: int = 1
    """1 for the last day, 7 for the last week."""


@dg.op(description="Sends a summary of the last day or week to INGEST_ALERT_WEBHOOK_URL, if nobody else has.")
def summarise(
    context: dg.OpExecutionContext, config: SummaryConfig, summarising: dg.ResourceParam[Summarising]
) -> None:
    sent = summarising.send(Period(config.days))
    context.add_output_metadata({"sent": sent})


@dg.job(description="Tells what the last day or week has brought: documents, failures, costs, and what to change.")
def send_summary() -> None:
    summarise()


def _requested(summarising: Summarising, period: Period) -> dg.RunRequest | dg.SkipReason:
    if summarising.receiver is None:
        return dg.SkipReason("INGEST_ALERT_WEBHOOK_URL is not set.")
    return dg.RunRequest(run_config={"ops": {summarise.name: {"config": {"days": period.value}}}})


@dg.schedule(
    cron_schedule="0 6 * * *",
    job=send_summary,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Tells every morning what came in, became searchable, failed and cost in the last day.",
)
def daily_summary(summarising: dg.ResourceParam[Summarising]) -> dg.RunRequest | dg.SkipReason:
    return _requested(summarising, Period.DAY)


@dg.schedule(
    cron_schedule="10 6 * * 1",
    job=send_summary,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Tells every Monday what the last week cost, how that compares with the week before, and whether the "
    "capacity is enough.",
)
def weekly_summary(summarising: dg.ResourceParam[Summarising]) -> dg.RunRequest | dg.SkipReason:
    return _requested(summarising, Period.WEEK)
