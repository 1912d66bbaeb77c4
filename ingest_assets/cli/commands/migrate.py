from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json


def migrate(as_json: Json = False) -> None:
    """Bring the database's schema up to date. It is safe to run again, and by two people at once."""
    with deployed(as_json=as_json) as deployment:
        applied = deployment.migrate()
        if as_json:
            print_json({"applied": applied})
        else:
            out.print(f"Applied: {', '.join(applied)}." if applied else "The schema is up to date.")
