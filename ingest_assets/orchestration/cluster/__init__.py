"""Runs on many hosts: a broker hands each run to a worker, `ingest worker`, on one of them.

`broker` is what both sides agree on. `hosts` asks the workers what they have. `launcher` hands runs over and looks
after them, in the daemon and the webserver. `worker` executes them; `execution` is what its forked processes do. This
needs the extra `cluster`, and nothing imports it unless `dagster.yaml` names the launcher.
"""

from ingest_assets.orchestration.cluster.launcher import ClusterRunLauncher

__all__ = ["ClusterRunLauncher"]
