"""Choose the user that runs the server, and a folder that this user can reach."""

import os
import shutil
import tempfile
from pathlib import Path

from ingest_assets.adapters.embedded_postgres import identity as identities
from ingest_assets.adapters.embedded_postgres.cluster import Cluster
from ingest_assets.adapters.embedded_postgres.identity import Identity
from ingest_assets.adapters.embedded_postgres.installation import Installation, find_installation

SYSTEM_FOLDER = Path("/var/lib/ingest-assets")


def place_cluster(link: Path) -> Cluster:
    """Return the cluster at `link`, which is a folder or a link to one elsewhere.

    Raises:
        OSError: A folder cannot be made or entered.
        KeyError: The unprivileged user has no name.
    """
    if not link.is_symlink():
        link.mkdir(mode=0o711, exist_ok=True)
    folder = link.resolve(strict=True)
    installation = find_installation()
    identity = _identity_for(folder, installation)
    if identity.owner == os.geteuid():
        return Cluster(folder, identity, installation)
    if not identity.can_use(Path("/"), installation.program("initdb")):
        installation = installation.copied_below(_system_folder())
    if not identity.can_use(folder, installation.program("initdb")):
        folder = _moved_elsewhere(link)
    return Cluster(folder, identity, installation)


def _identity_for(folder: Path, installation: Installation) -> Identity:
    """Return the owner of the data; for new data, this user or one that Postgres accepts."""
    data = folder / "data"
    root = os.geteuid() == 0
    if not root and identities.this_user_has_a_name():
        return identities.as_is()
    if root and data.exists() and data.stat().st_uid != 0:
        return identities.of_user(data.stat().st_uid, data.stat().st_gid)
    namespace = identities.in_user_namespace()
    if namespace is not None and namespace.can_use(folder, installation.program("initdb")):
        return namespace
    return identities.of_nobody() if root else identities.as_is()


def _moved_elsewhere(link: Path) -> Path:
    """Return a new folder outside the home, which the server's user may not enter.

    If there is data, this raises PermissionError instead of leaving it behind.
    """
    if (link / "data").exists():
        raise PermissionError(link)
    folder = Path(tempfile.mkdtemp(prefix="cluster-", dir=_system_folder()))
    folder.chmod(0o711)
    shutil.rmtree(link)
    link.symlink_to(folder)
    return folder


def _system_folder() -> Path:
    if not SYSTEM_FOLDER.exists():
        SYSTEM_FOLDER.mkdir(parents=True)
        SYSTEM_FOLDER.chmod(0o755)
    return SYSTEM_FOLDER
