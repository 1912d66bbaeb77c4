"""The seam at which Dagster's webserver gets an application of ours around its own."""

from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp

BUILD = "create_app_from_workspace_process_context"
"""What the command line calls to build its application."""


def serve_page(around: Callable[[ASGIApp], ASGIApp]) -> None:
    """Run `dagster-webserver` with the arguments of this process, and an application around its page."""
    from dagster_webserver import cli  # noqa: PLC0415  only the process that serves the page loads all of it

    names = vars(cli)
    build = names[BUILD]

    def build_both(*args: Any, **kwargs: Any) -> ASGIApp:
        return around(build(*args, **kwargs))

    names[BUILD] = build_both
    cli.cli()
