import logging
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.ports import listening
from ingest_assets.composition import Deployment
from ingest_assets.posix.signals import stop_on_signals

if TYPE_CHECKING:
    import uvicorn

    from ingest_assets.http.ports import HttpService

GRACE_SECONDS = 30


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 for any free one.")] = 8000,
    as_json: Json = False,
) -> None:
    """Serve intake, status, search and callbacks over HTTP in the foreground. Ctrl-C stops it gracefully."""
    with deployed(as_json=as_json) as deployment:
        stop_on_signals()
        try:
            _run(compose_service(deployment), host, port, as_json=as_json)
        except KeyboardInterrupt:
            messages.print("Stopped.")


def compose_service(deployment: Deployment) -> "HttpService":
    """Return what the HTTP service works with.

    Raises:
        PermanentError: authentication_missing, wrong_usage.
    """
    from ingest_assets.http.authentication import Authentication
    from ingest_assets.http.ports import HttpService
    from ingest_assets.http.rate_limit import RateLimit
    from ingest_assets.http.signing_keys import SigningKeys

    settings = deployment.settings
    secret, webhook_secret = settings.jwt_secret, settings.llamaparse_webhook_secret
    return HttpService(
        intake=deployment.intake,
        documents_of=deployment.documents_of,
        deletion=deployment.deletion,
        search=lambda: deployment.search,
        authentication=Authentication(
            secret=None if secret is None else secret.get_secret_value(),
            keys=None if settings.jwt_jwks_url is None else SigningKeys(settings.jwt_jwks_url),
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
        ),
        rate_limit=RateLimit(settings.requests_per_minute),
        idempotency_keys=deployment.idempotency_keys,
        webhook_log=deployment.webhook_log,
        callbacks=deployment.remote_jobs,
        pending_migrations=deployment.pending_migrations,
        webhook_max_bytes=settings.webhook_max_bytes,
        webhook_secret=None if webhook_secret is None else webhook_secret.get_secret_value(),
    )


def _run(service: "HttpService", host: str, port: int, *, as_json: bool) -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("ingest_assets.http").setLevel(logging.INFO)
    with listening(host, port) as listener:
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        _announce(url, as_json=as_json)
        server_of(service).run(sockets=[listener])


def server_of(service: "HttpService") -> "uvicorn.Server":
    """Return the server that runs the HTTP application."""
    import uvicorn

    from ingest_assets.http.application import build_application

    # It would log addresses, which contain file names; the application logs routes.
    logging.getLogger("uvicorn.access").disabled = True
    config = uvicorn.Config(
        build_application(service), log_config=None, server_header=False, timeout_graceful_shutdown=GRACE_SECONDS
    )
    return uvicorn.Server(config)


def _announce(url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": url, "pid": os.getpid()})
        sys.stdout.flush()
    else:
        out.print(f"Listening on {url}, described at {url}/openapi.json. Ctrl-C stops it.")
