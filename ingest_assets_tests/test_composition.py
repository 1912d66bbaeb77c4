"""Which providers a deployment uses, and how it gets at their keys."""

from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from ingest_assets.adapters.keys import key_reader
from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.router import ParserRouter
from ingest_assets.adapters.providers import PROVIDERS
from ingest_assets.adapters.providers.openai.embedder import OpenAIEmbedder
from ingest_assets.composition import Deployment
from ingest_assets.composition.providers import embedders, key_of, openai_settings, parsers, rates
from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import Provider
from ingest_assets.settings import Settings, sibling_database, sqlalchemy_url

URL = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")
SECRET = "sk-canary-0123456789"  # noqa: S105


def deployment(**settings: object) -> Deployment:
    return Deployment(Settings(database_url=URL, **settings))  # type: ignore[arg-type]


def test_without_keys_everything_is_local() -> None:
    made = deployment()
    assert isinstance(made.parser, LocalParser)
    assert isinstance(made.embedder, LexicalEmbedder)


def test_with_keys_the_real_services_are_used_and_the_local_parser_stands_in() -> None:
    made = deployment(openai_api_key=SecretStr("k"), llama_cloud_api_key=SecretStr("k"))
    assert isinstance(made.embedder, OpenAIEmbedder)
    assert isinstance(made.parser, ParserRouter)
    assert made.parser.producer_of(FileType.PDF).name == "llamaparse"


def test_llama_cloud_parses_where_it_is_chosen_with_a_dated_version() -> None:
    made = deployment(llama_cloud_api_key=SecretStr("k"), parser="llamacloud")
    assert isinstance(made.parser, ParserRouter)
    assert made.parser.producer_of(FileType.PDF) == Producer("llamacloud", "cost_effective-2026-09-28+1")
    assert made.parsing_effort(FileType.PDF).usage(10).credits == 30
    pinned = deployment(llama_cloud_api_key=SecretStr("k"), parser="llamacloud", llamacloud_version="2026-08-19")
    assert pinned.parser.producer_of(FileType.PDF).version == "cost_effective-2026-08-19+1"
    with pytest.raises(ValueError, match="llamacloud_version"):
        deployment(llamacloud_version="latest")


@pytest.mark.parametrize("media_type", [FileType.MARKDOWN, FileType.TEXT, FileType.EML])
def test_nothing_is_paid_for_what_the_local_parser_reads_as_well(media_type: FileType) -> None:
    made = deployment(llama_cloud_api_key=SecretStr("k"))
    assert made.parser.producer_of(media_type).name == "local"


def test_only_what_a_service_reads_is_estimated_at_its_price() -> None:
    made = deployment(llama_cloud_api_key=SecretStr("k"))
    assert made.parsing_effort(FileType.PDF).usage(10).credits > 0
    assert made.parsing_effort(FileType.MARKDOWN).usage(10).credits == 0
    assert deployment().parsing_effort(FileType.PDF).usage(10).credits == 0


def test_a_deployment_with_other_parts_keeps_those_that_were_replaced_before() -> None:
    first, second = LexicalEmbedder(), LexicalEmbedder()
    made = deployment().replacing(jitter=float, embedder=first).replacing(embedder=second)
    assert made.jitter is float
    assert made.embedder is second
    assert made.index_keeper.embedder is second


def test_local_means_local_even_with_keys() -> None:
    made = deployment(
        openai_api_key=SecretStr("k"), llama_cloud_api_key=SecretStr("k"), parser="local", embedder="local"
    )
    assert isinstance(made.parser, LocalParser)
    assert isinstance(made.embedder, LexicalEmbedder)


@pytest.mark.parametrize(
    ("part", "chosen"), [("embedder", "openai"), ("parser", "llamaparse"), ("parser", "llamacloud")]
)
def test_a_service_that_is_chosen_without_its_key_is_refused(part: str, chosen: str) -> None:
    with pytest.raises(IngestError) as raised:
        getattr(deployment(**{part: chosen}), part)
    assert raised.value.code == "key_unset"


@pytest.mark.parametrize("provider", PROVIDERS, ids=attrgetter("name"))
def test_each_registered_provider_has_its_key_its_limits_and_a_use(provider: Provider) -> None:
    field = provider.key_variable.lower()
    settings = Settings(**{field: SecretStr(SECRET)})  # type: ignore[arg-type]
    key = key_of(provider, settings)
    assert key is not None
    assert key() == SECRET
    assert provider.name in rates(settings)
    assert (provider in parsers(settings)) != (provider in embedders(settings))
    assert set(provider.units) <= {each.name for each in fields(Usage)}


def test_the_standard_names_of_the_environment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "LLAMA_CLOUD_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings = Settings()
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == SECRET
    assert settings.openai_base_url == "http://127.0.0.1:9/v1"
    assert settings.llama_cloud_api_key is not None
    assert SECRET not in repr(settings)


def test_a_model_of_another_server_brings_its_own_dimensions_and_price() -> None:
    made = deployment(openai_model="nomic-embed-text", openai_dimensions=768, openai_usd_per_million_tokens=0.5)
    assert openai_settings(made.settings).producer.version.endswith("768d")
    assert openai_settings(made.settings).usage(2_000_000).micro_usd == 1_000_000


def test_a_rotated_key_file_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("old\n")
    read = key_reader(None, file)
    assert read is not None
    assert read() == "old"
    file.write_text("new\n")
    assert read() == "new"


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_key_file_that_is_missing_or_empty_is_waited_for(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    read = key_reader(SecretStr("unused"), file)
    assert read is not None
    with pytest.raises(IngestError) as raised:
        read()
    assert raised.value.code == "key_missing"


def test_dagsters_database_is_beside_ours_and_spelt_for_its_driver() -> None:
    ours = "postgresql://me:p%40ss@db.example:5433/ingest?sslmode=require"
    assert sqlalchemy_url(sibling_database(ours, "dagster")) == (
        "postgresql+psycopg2://me:p%40ss@db.example:5433/dagster?sslmode=require"
    )
    on_a_socket = "postgresql:///ingest?host=/run/postgresql"
    assert sqlalchemy_url(sibling_database(on_a_socket, "dagster")) == (
        "postgresql+psycopg2:///dagster?host=/run/postgresql"
    )


def test_dagsters_processes_are_told_its_url_for_its_driver_and_connect_without() -> None:
    theirs = SecretStr("postgresql+psycopg2://dagster@localhost/dagster")
    assert (
        deployment(dagster_database_url=theirs).plain_dagster_database_url == "postgresql://dagster@localhost/dagster"
    )


def test_dagster_notices_too_that_the_databases_host_lost_power_unless_its_url_says_otherwise() -> None:
    theirs = SecretStr("postgresql://dagster@db.example/dagster?sslmode=require&keepalives_idle=60")
    url = deployment(dagster_database_url=theirs).dagster_database_url
    given = parse_qs(urlsplit(url).query)
    assert (given["sslmode"], given["keepalives_idle"], given["tcp_user_timeout"]) == (["require"], ["60"], ["25000"])
    assert url.startswith("postgresql+psycopg2://dagster@db.example/dagster?")


def test_who_has_found_the_database_away_does_not_wait_for_it_again() -> None:
    hasty = deployment().without_waiting()
    assert hasty.database._pool.timeout == 0
    with pytest.raises(IngestError, match="database_unreachable"):
        hasty.documents.counts()
    hasty.close()
