from ingest_assets.cli.arguments import Json
from ingest_assets.cli.output import deployed
from ingest_assets.cli.pauses import CalledProvider, PausedUser, paused_of, show


def pause(user: PausedUser = None, provider: CalledProvider = None, as_json: Json = False) -> None:
    """Begin with no more documents: with none at all, with none of a user, or with none while a provider is paused.

    What is under way is finished. Documents are still taken in and found.
    """
    with deployed(as_json=as_json) as deployment:
        deployment.pauses.pause(paused_of(user, provider))
        show(deployment, as_json=as_json)
