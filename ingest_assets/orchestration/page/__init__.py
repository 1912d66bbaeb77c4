"""Dagster's page as `ingest up` serves it.

Dagster's own server believes whoever reaches it, and a browser reaches it on behalf of any web page. `access` decides
who may pass; `python -m ingest_assets.orchestration.page` takes the arguments of `dagster-webserver`.
"""
