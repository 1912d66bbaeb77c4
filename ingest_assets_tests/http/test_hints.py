"""Hints over HTTP name no command, and only addresses that exist."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from ingest_assets.domain.errors import CATALOGUE
from ingest_assets.http.application import build_application
from ingest_assets.http.ports import Limits
from ingest_assets.http.problems import HINT_OF_CODE, hint_of


@pytest.mark.parametrize("code", HINT_OF_CODE)
def test_a_hint_over_http_names_what_a_caller_has(code: str) -> None:
    service: Any = SimpleNamespace(
        limits=Limits(connections=1, arrival_seconds=1, trusted_proxies=None), count_request=int
    )
    paths = {getattr(route, "path", None) for route in build_application(service).routes}
    assert code in CATALOGUE
    assert not re.search(r"\bingest [a-z]|--[a-z]", HINT_OF_CODE[code])
    assert set(re.findall(r"/[a-z0-9/_{}.]*[a-z}]", HINT_OF_CODE[code])) <= paths


def test_an_error_that_the_database_has_kept_gets_the_hint_of_the_service() -> None:
    assert hint_of("unknown_document", "kept") == HINT_OF_CODE["unknown_document"]
    assert hint_of("corrupt", "kept") == "kept"
