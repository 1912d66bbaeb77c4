from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json


def encrypt(as_json: Json = False) -> None:
    """Encrypt stored documents that are not yet, and wrap all users' keys with the present master key.

    It is safe while workers go on, and to run again.
    """
    with deployed(as_json=as_json) as deployment:
        encryption = deployment.encryption
        keys, objects = encryption.wrap_keys(), encryption.encrypt_plain()
        if as_json:
            print_json({"keys": keys, "objects": objects})
        else:
            out.print(f"Wrapped {keys} keys and encrypted {objects} objects.")
