from ingest_assets.cli.arguments import Json
from ingest_assets.cli.commands.up import prepared
from ingest_assets.cli.console import messages
from ingest_assets.cli.output import deployed
from ingest_assets.cli.pauses import CalledProvider, PausedUser, paused_of, show


def resume(user: PausedUser = None, provider: CalledProvider = None, as_json: Json = False) -> None:
    """End a pause: of everything, of a user's documents, or of the calls to a provider.

    Without options, sensors and schedules that were switched off in Dagster's page are switched on again, too.
    """
    with deployed(as_json=as_json) as deployment:
        wanted = paused_of(user, provider)
        deployment.pauses.resume(wanted)
        if user is None and provider is None:
            with prepared(deployment) as instance:
                from ingest_assets.orchestration.automation import switch_on

                for name in switch_on(instance):
                    messages.print(f"Switched on: {name}.")
        show(deployment, as_json=as_json)
