"""Every setting, with its default; each is an environment variable."""

from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS
from ingest_assets.domain.documents.retention import RetentionPolicy

LOCAL_USER = UUID("00000000-0000-4000-8000-000000000001")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="INGEST_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(
        default=Path("~/.local/share/ingest-assets"),
        description="State of the embedded default: database, stored documents, Dagster's home.",
    )
    database_url: SecretStr | None = Field(
        default=None, description="A Postgres with pgvector to use instead of the embedded one."
    )
    dagster_database_url: SecretStr | None = Field(
        default=None,
        description="Dagster's own database; by default the database `dagster` on the same server.",
    )
    storage_url: str | None = Field(
        default=None,
        description="Where documents are stored: file:///path; by default the folder `objects` of the home.",
    )
    parser: Literal["auto", "llamaparse", "local"] = Field(
        default="auto", description="Which parser reads documents; auto: LlamaParse where its key is set."
    )
    parser_fallback: bool = Field(
        default=True, description="Whether the local parser stands in while LlamaParse is down; see `ingest refresh`."
    )
    embedder: Literal["auto", "openai", "local"] = Field(
        default="auto", description="Which model embeds chunks; auto: OpenAI's where its key is set."
    )
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias="OPENAI_API_KEY", description="OpenAI's key, or that of a compatible server."
    )
    openai_api_key_file: Path | None = Field(
        default=None, validation_alias="OPENAI_API_KEY_FILE", description="A file with the key, read for every call."
    )
    openai_base_url: str | None = Field(
        default=None, validation_alias="OPENAI_BASE_URL", description="A compatible server, with its /v1."
    )
    openai_model: str = Field(default="text-embedding-3-small", description="The embedding model.")
    openai_model_version: str = Field(
        default="1", description="To be changed where a server changes the model behind a name."
    )
    openai_dimensions: int | None = Field(
        default=None, gt=0, le=VECTOR_DIMENSIONS, description="Of the model's vectors, where it is not OpenAI's."
    )
    openai_usd_per_million_tokens: float | None = Field(
        default=None, ge=0, description="The model's price; by default OpenAI's list price, and nothing for others."
    )
    openai_requests_per_minute: int | None = Field(default=None, gt=0, description="OpenAI's limit, for all workers.")
    openai_tokens_per_minute: int | None = Field(default=None, gt=0, description="OpenAI's limit, for all workers.")
    llama_cloud_api_key: SecretStr | None = Field(
        default=None, validation_alias="LLAMA_CLOUD_API_KEY", description="LlamaParse's key."
    )
    llama_cloud_api_key_file: Path | None = Field(
        default=None, validation_alias="LLAMA_CLOUD_API_KEY_FILE", description="A file with the key, read every time."
    )
    llama_cloud_base_url: str | None = Field(
        default=None, validation_alias="LLAMA_CLOUD_BASE_URL", description="Another region of LlamaParse."
    )
    llamaparse_tier: Literal["fast", "cost_effective", "agentic", "agentic_plus"] = Field(
        default="cost_effective", description="How thoroughly LlamaParse reads, for 1, 3, 10 or 45 credits a page."
    )
    llamaparse_language: str | None = Field(default=None, description="Of scans, as LlamaParse abbreviates it: de.")
    llamaparse_do_not_cache: bool = Field(
        default=False, description="Whether LlamaParse must forget results at once; it keeps them for 48 hours."
    )
    llamaparse_callback_url: str | None = Field(
        default=None,
        description="Where LlamaParse reports finished jobs: the public address of /v1/webhooks/llamaparse.",
    )
    llamaparse_requests_per_minute: int | None = Field(default=None, gt=0, description="Its limit, for all workers.")
    breaker_open_seconds: float = Field(
        default=30, gt=0, description="How long a provider that keeps failing is left alone before it is tried again."
    )
    budget_usd_per_day: float | None = Field(default=None, gt=0, description="The most that all documents may cost.")
    budget_usd_per_user_and_day: float | None = Field(default=None, gt=0, description="The most for one user.")
    budget_usd_per_document: float | None = Field(default=None, gt=0, description="The most for one document.")
    user_id: UUID | None = Field(
        default=None,
        description="The command line's user where --user is not given; on the embedded database a local one.",
    )
    max_file_bytes: int = Field(default=25 * 1024 * 1024, gt=0, description="Larger files are refused.")
    chunk_characters: int = Field(default=1000, ge=100, description="The longest chunk.")
    chunk_overlap: int = Field(default=200, ge=0, description="How much of the text before it a chunk repeats at most.")
    parse_seconds: int = Field(default=120, gt=0, description="The longest time one document may take to parse.")
    parse_memory_mb: int = Field(default=2048, gt=0, description="The most memory one document may take to parse.")
    lease_seconds: int = Field(
        default=60, ge=3, description="How long a worker may be silent before its documents return to the queue."
    )
    few_jobs: int = Field(
        default=4, ge=0, description="Up to so many waiting jobs get a run of their own; more are drained."
    )
    jobs_per_user: int | None = Field(
        default=None, gt=0, description="The most documents of one user that workers hold at a time."
    )
    drain_workers: int = Field(default=2, gt=0, description="The most drain runs at a time.")
    drain_in_flight: int = Field(
        default=4,
        gt=0,
        le=64,
        description="Documents that a drain run works on at once; more pay off where outside services are waited for.",
    )
    drain_idle_seconds: float = Field(
        default=10, ge=0, description="How long a drain run waits for more work before it ends."
    )
    partitions_kept: int = Field(
        default=50_000, ge=0, description="How many finished documents Dagster lists, the newest first; 0: all of them."
    )
    dagster_retention_days: int = Field(
        default=30,
        ge=0,
        description="How long Dagster keeps finished runs that no listed document's state is read from; 0: for ever.",
    )
    sensor_seconds: int = Field(default=2, gt=0, description="How often the queue is looked at.")
    jwt_secret: SecretStr | None = Field(
        default=None, min_length=32, description="Signs the access tokens of HTTP requests (HS256)."
    )
    jwt_jwks_url: str | None = Field(
        default=None, description="Where the public keys of access tokens are: https://, file:///path or a path."
    )
    jwt_audience: str = Field(default="authenticated", description="Whom access tokens must be meant for.")
    jwt_issuer: str | None = Field(default=None, description="Who must have issued access tokens; any by default.")
    requests_per_minute: int = Field(default=600, gt=0, description="The most HTTP requests of one user per minute.")
    llamaparse_webhook_secret: SecretStr | None = Field(
        default=None, description="Signs LlamaParse's callbacks; without it each job has a secret of its own."
    )
    webhook_max_bytes: int = Field(default=32 * 1024 * 1024, gt=0, description="Larger callbacks are refused.")
    ui_port: int = Field(default=3000, ge=0, le=65535, description="Where `ingest up` serves the Dagster UI.")

    @property
    def home_folder(self) -> Path:
        return self.home.expanduser().absolute()

    @property
    def embedded(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url is None

    @property
    def default_user(self) -> UUID | None:
        return self.user_id or (LOCAL_USER if self.embedded else None)

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def retention(self) -> RetentionPolicy:
        history = timedelta(days=self.dagster_retention_days) if self.dagster_retention_days else None
        return RetentionPolicy(self.partitions_kept or None, history)

    @property
    def dagster_home(self) -> Path:
        return self.home_folder / "dagster"

    @property
    def objects_folder(self) -> Path:
        return self.home_folder / "objects" if self.storage_url is None else Path(urlsplit(self.storage_url).path)

    @field_validator("storage_url")
    @classmethod
    def _is_file_url(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "file:///")
        if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
            raise ValueError("it must look like file:///path")
        return url


def sqlalchemy_url(url: str) -> str:
    """The same database for Dagster: SQLAlchemy's default driver is another one, on which Dagster's NOTIFY fails."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql+psycopg2"))


def sibling_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{quote(name)}"))


def login_url(url: str, login: str) -> str:
    """The same database for another login, whose password libpq finds in its usual places."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login)}@{server}"))
