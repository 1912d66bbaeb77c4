import os
import shlex

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.commands.up import prepare
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json


def env(as_json: Json = False) -> None:
    """Print lines for a shell, with which `dagster` commands use this deployment: eval "$(ingest env)"."""
    with deployed(as_json=as_json) as deployment:
        prepare(deployment)
        settings = deployment.settings
        variables = {
            "DAGSTER_HOME": str(settings.dagster_home),
            "INGEST_HOME": str(settings.home_folder),
            "DAGSTER_DISABLE_TELEMETRY": os.environ["DAGSTER_DISABLE_TELEMETRY"],
        }
        if as_json:
            print_json(variables)
            return
        for name, value in variables.items():
            out.print(f"export {name}={shlex.quote(value)}")
