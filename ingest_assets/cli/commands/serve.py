import logging
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out, tell
from ingest_assets.cli.lookout import looking_out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.ports import listening
from ingest_assets.composition import Deployment
from ingest_assets.composition.service_secrets import secret_of
from ingest_assets.composition.tracing import begin_tracing
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.private_folders import keep_private
from ingest_assets.posix.signals import stop_on_signals
from ingest_assets.settings import SHORTEST_SECRET

if TYPE_CHECKING:
    from ingest_assets.http.ports import HttpService

DOWNLOADS_PER_USER = 10
"""How many documents one user may read at a time; all users together have a quarter of the connections."""
FILES_BESIDE = 3000
"""How many files the process may need beside its connections and uploads: 2048 clients may arrive at the same time."""


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 for any free one.")] = 8000,
    as_json: Json = False,
) -> None:
    """Serve intake, status, search and callbacks over HTTP in the foreground. Ctrl-C stops it gracefully."""
    with deployed(as_json=as_json) as deployment:
        stop_on_signals()
        begin_tracing(deployment.settings)
        try:
            service = compose_service(deployment)
            with looking_out(deployment):
                _run(service, host, port, as_json=as_json)
        except KeyboardInterrupt:
            tell("Stopped.")


def compose_service(deployment: Deployment) -> "HttpService":
    """Return what the HTTP service works with.

    Raises:
        PermanentError: authentication_missing, wrong_usage.
        ResourceError: key_missing.
    """
    from ingest_assets.composition import LLAMACLOUD, LLAMAPARSE
    from ingest_assets.http.authentication import Authentication
    from ingest_assets.http.downloads import DownloadLimits, Downloads
    from ingest_assets.http.following.followers import Followers, StreamLimits
    from ingest_assets.http.login import Login
    from ingest_assets.http.metrics import RequestCounts
    from ingest_assets.http.ports import HttpService, Limits
    from ingest_assets.http.rate_limit import RateLimit
    from ingest_assets.http.signing_keys import SigningKeys
    from ingest_assets.http.uploads import Uploads

    settings = deployment.settings
    arriving = settings.home_folder / "arriving"
    keep_private(arriving)
    requests = RequestCounts()
    return HttpService(
        intake=deployment.intake,
        documents_of=deployment.documents_of,
        deletion=deployment.deletion,
        search=lambda: deployment.search,
        authentication=Authentication(
            secret=_long_secret("INGEST_JWT_SECRET_FILE", settings.jwt_secret, settings.jwt_secret_file),
            keys=None if settings.jwt_jwks_url is None else SigningKeys(settings.jwt_jwks_url),
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
        ),
        rate_limit=RateLimit(settings.requests_per_minute),
        limits=Limits(settings.connections, settings.arrival_seconds, settings.trusted_proxies),
        uploads=Uploads(
            arriving,
            largest=deployment.intake.max_bytes,
            at_once=settings.uploads_at_once,
            at_once_per_user=settings.uploads_per_user,
        ),
        downloads=Downloads(
            deployment.objects,
            arriving,
            settings.download_url_seconds,
            DownloadLimits(at_once=max(1, settings.connections // 4), at_once_per_user=DOWNLOADS_PER_USER),
        ),
        followers=Followers(
            deployment.announcements,
            deployment.documents_of,
            StreamLimits(
                at_once=min(settings.streams, settings.connections // 2),
                at_once_per_user=settings.streams_per_user,
                seconds=settings.stream_seconds,
            ),
        ),
        idempotency_keys=deployment.idempotency_keys,
        webhook_log=deployment.webhook_log(LLAMAPARSE.name),
        llamacloud_log=deployment.webhook_log(LLAMACLOUD.name),
        callbacks=deployment.remote_jobs,
        pending_migrations=deployment.pending_migrations,
        webhook_max_bytes=settings.webhook_max_bytes,
        webhook_secret=secret_of(settings.llamaparse_webhook_secret, settings.llamaparse_webhook_secret_file),
        collect_metrics=lambda: [*deployment.measuring.collect(), *requests.take()],
        count_request=requests.add,
        make_dashboards=lambda: deployment.dashboards.make(),  # noqa: PLW0108  they are made when they are asked for
        dashboards_login=Login(settings.ops_password_file),
        metrics_token=_long_secret("INGEST_METRICS_TOKEN_FILE", settings.metrics_token, settings.metrics_token_file),
    )


def _long_secret(variable: str, value: SecretStr | None, file: Path | None) -> str | None:
    """Return a secret that cannot be guessed, if there is one.

    Raises:
        PermanentError: wrong_usage.
        ResourceError: key_missing.
    """
    secret = secret_of(value, file)
    if secret is not None and len(secret) < SHORTEST_SECRET:
        what = f"{variable} must name a file with {SHORTEST_SECRET} or more characters."
        raise PermanentError("wrong_usage", what=what)
    return secret


def _run(service: "HttpService", host: str, port: int, *, as_json: bool) -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("ingest_assets.http").setLevel(logging.INFO)
    from ingest_assets.http.server import server_of

    _allow_files(FILES_BESIDE + 2 * service.limits.connections)
    with listening(host, port) as listener:
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        _announce(url, as_json=as_json)
        server_of(service).run(sockets=[listener])


def _allow_files(wanted: int) -> None:
    """Let this process open more files than systems do by default: each connection is one, and each upload."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _announce(url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": url, "pid": os.getpid()})
        sys.stdout.flush()
    else:
        out.print(f"Listening on {url}, described at {url}/openapi.json. Ctrl-C stops it.")
