from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.settings import Settings
from ingest_assets_tests.http.api import SECRET, Api, serving


@pytest.fixture
def http_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"jwt_secret": SecretStr(SECRET)})


@pytest.fixture
def deployment(http_settings: Settings) -> Iterator[Deployment]:
    made = Deployment(http_settings)
    yield made
    made.close()


@pytest.fixture
def api(deployment: Deployment, user: UserId) -> Iterator[Api]:
    """A running service, asked as `user`."""
    with serving(deployment, user) as served:
        yield served
