"""Serve Dagster's page to those who may use it."""

from ingest_assets.orchestration.dagster_internals.webserver import serve_page
from ingest_assets.orchestration.page.access import AccessControl
from ingest_assets.settings import Settings

if __name__ == "__main__":
    settings = Settings()
    serve_page(
        lambda page: AccessControl(
            page,
            hosts=settings.ui_hosts,
            password_file=settings.ui_password_file,
            user_header=settings.ui_user_header,
        )
    )
