"""Every setting with its default. Each one is an environment variable."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit
from uuid import UUID

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS
from ingest_assets.domain.documents.retention import RetentionPolicy
from ingest_assets.domain.documents.sweeping import SweepLimits
from ingest_assets.posix.ocr_languages import folder_of

SHORTEST_SECRET = 32
"""The fewest characters of a secret that signs tokens: as many as the hash has bytes (RFC 7518, 3.2)."""
SECRETS_OF_SERVE = ("INGEST_JWT_SECRET", "INGEST_LLAMAPARSE_WEBHOOK_SECRET", "INGEST_METRICS_TOKEN")
"""What only `ingest serve` needs to know."""
BROKERS = ("redis", "rediss", "redis+socket", "amqp", "amqps")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LOCAL_USER = UUID("00000000-0000-4000-8000-000000000001")


class Settings(BaseSettings):
    """The settings in the environment; a name without an alias begins with `INGEST_`."""

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
        description="The folder for the embedded database, stored documents and Dagster's home.",
    )
    database_url: SecretStr | None = Field(
        default=None, description="Your own Postgres with pgvector, instead of the embedded one."
    )
    direct_database_url: SecretStr | None = Field(
        default=None,
        description="Where INGEST_DATABASE_URL leads to a pooler: a URL around it, for migrations and index builds, "
        "and needed for backups.",
    )
    search_database_url: SecretStr | None = Field(
        default=None,
        description="A read replica of the database, on which the command line and the HTTP service search; while it "
        "is away, they search in the database itself.",
    )
    dagster_database_url: SecretStr | None = Field(
        default=None,
        description="Dagster's own database; by default, the database `dagster` on the same server.",
    )
    broker_url: SecretStr | None = Field(
        default=None,
        description="The broker that hands runs to workers on many hosts: redis://, rediss:// or amqp://, for which "
        "the extra `cluster` is needed. By default, this host executes all runs.",
    )
    instance: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,63}$",
        description="The name of this deployment among those on the same database; by default, its home has one.",
    )
    storage_url: str | None = Field(
        default=None,
        description="Where documents are stored: file:///path, or s3://bucket/prefix, for which the extra `s3` and the "
        "variables of AWS are needed, such as AWS_ENDPOINT_URL. By default, in the folder `objects` of the home.",
    )
    master_key_file: Path | None = Field(
        default=None,
        description="A file with the master key, 64 hexadecimal digits, with which stored documents are encrypted; by "
        "default, they are stored as they are.",
    )
    parser: Literal["auto", "llamaparse", "llamacloud", "local"] = Field(
        default="auto",
        description="The parser; `auto` means LlamaParse if its key is set. `llamacloud` is LlamaParse by its second "
        "protocol.",
    )
    parser_fallback: bool = Field(
        default=True, description="Whether the local parser stands in while the provider is down."
    )
    embedder: Literal["auto", "openai", "local"] = Field(
        default="auto", description="What embeds chunks; `auto` means OpenAI if its key is set."
    )
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias="OPENAI_API_KEY", description="The key for OpenAI or a compatible server."
    )
    openai_api_key_file: Path | None = Field(
        default=None, validation_alias="OPENAI_API_KEY_FILE", description="A file with the key, read for every request."
    )
    openai_base_url: str | None = Field(
        default=None, validation_alias="OPENAI_BASE_URL", description="The URL of a compatible server, including /v1."
    )
    openai_model: str = Field(default="text-embedding-3-small", description="The embedding model.")
    openai_model_version: str = Field(
        default="1", description="Change it when a server changes the model behind its name."
    )
    openai_dimensions: int | None = Field(
        default=None,
        gt=0,
        le=VECTOR_DIMENSIONS,
        description="The dimensions of the vectors, if the model is not OpenAI's.",
    )
    openai_usd_per_million_tokens: float | None = Field(
        default=None, ge=0, description="The model's price; by default, OpenAI's list price, and zero for others."
    )
    openai_requests_per_minute: int | None = Field(default=None, gt=0, description="OpenAI's limit, for all workers.")
    openai_tokens_per_minute: int | None = Field(default=None, gt=0, description="OpenAI's limit, for all workers.")
    llama_cloud_api_key: SecretStr | None = Field(
        default=None, validation_alias="LLAMA_CLOUD_API_KEY", description="LlamaParse's key."
    )
    llama_cloud_api_key_file: Path | None = Field(
        default=None,
        validation_alias="LLAMA_CLOUD_API_KEY_FILE",
        description="A file with the key, read for every request.",
    )
    llama_cloud_base_url: str | None = Field(
        default=None, validation_alias="LLAMA_CLOUD_BASE_URL", description="Another region of LlamaParse."
    )
    llamaparse_tier: Literal["fast", "cost_effective", "agentic", "agentic_plus"] = Field(
        default="cost_effective", description="How thoroughly LlamaParse reads: for 1, 3, 10 or 45 credits a page."
    )
    llamaparse_language: str | None = Field(
        default=None, description="The language of scans as LlamaParse abbreviates it, such as de."
    )
    llamaparse_do_not_cache: bool = Field(
        default=False,
        description="Whether LlamaParse must discard results at once; by default, it keeps them for 48 hours.",
    )
    llamaparse_callback_url: str | None = Field(
        default=None,
        description="Where LlamaParse reports finished jobs: the public URL of /v1/webhooks/llamaparse.",
    )
    llamacloud_version: str | None = Field(
        default=None,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="The version of the tier that Llama Cloud uses, such as 2026-09-28; by default, the newest one "
        "that this release knows.",
    )
    llamacloud_callback_url: str | None = Field(
        default=None,
        description="Where Llama Cloud reports jobs that have ended: the public URL of /v1/webhooks/llamacloud.",
    )
    llamaparse_requests_per_minute: int | None = Field(
        default=None, gt=0, description="LlamaParse's limit, for all workers."
    )
    breaker_open_seconds: float = Field(
        default=30, gt=0, description="How long a provider that keeps failing is left alone before it is tried again."
    )
    budget_usd_per_day: float | None = Field(default=None, gt=0, description="The most that all documents may cost.")
    budget_usd_per_user_and_day: float | None = Field(default=None, gt=0, description="The most for one user.")
    budget_usd_per_document: float | None = Field(default=None, gt=0, description="The most for one document.")
    user_id: UUID | None = Field(
        default=None,
        description="The user of a command without --user; on the embedded database, a local user by default.",
    )
    max_file_bytes: int = Field(default=25 * 1024 * 1024, gt=0, description="Larger files are refused.")
    archives: bool = Field(
        default=False, description="Whether ZIP archives are taken in; the files in them become documents."
    )
    chunk_characters: int = Field(default=1000, ge=100, description="The longest chunk.")
    chunk_overlap: int = Field(default=200, ge=0, description="The most text that a chunk repeats from the one before.")
    parse_seconds: int = Field(default=120, gt=0, description="The longest time one document may take to parse.")
    parse_memory_mb: int = Field(default=2048, gt=0, description="The most memory one document may take to parse.")
    ocr_languages: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("eng",),
        description="The languages of scans, as Tesseract has them, such as eng,deu; `none` leaves scans unread.",
    )
    ocr_pages: int = Field(
        default=500, gt=0, description="The most pages of one document whose text is recognised; others stay unread."
    )
    ocr_seconds: int = Field(
        default=600, gt=0, description="The longest time that the text recognition of one document may take."
    )
    lease_seconds: int = Field(
        default=60, ge=3, description="How long a worker may be silent before its documents return to the queue."
    )
    few_jobs: int = Field(
        default=4,
        ge=0,
        description="Up to this many waiting jobs get one run each; more are drained. With lanes, all are.",
    )
    jobs_per_user: int | None = Field(
        default=None, gt=0, description="The most documents of one user that workers hold at a time."
    )
    drain_workers: int = Field(
        default=2, gt=0, description="The most drain runs at a time; with lanes, each has at least one."
    )
    drain_in_flight: int = Field(
        default=4,
        gt=0,
        le=64,
        description="How many documents a drain run computes on at once.",
    )
    parses_in_flight: int = Field(
        default=48, gt=0, le=200, description="How many documents of a drain run a paid parser has at a time."
    )
    embeddings_in_flight: int = Field(
        default=32, gt=0, le=64, description="How many requests of a drain run a paid embedder has at a time."
    )
    recognitions_in_flight: int = Field(
        default=1,
        gt=0,
        le=64,
        description="How many scans of a drain run are recognised at a time, each on a core. Without lanes, they also "
        "count as documents that compute, of which one is never a scan.",
    )
    lanes: bool = Field(
        default=False,
        description="Whether drain runs take documents through one kind of work each: `parse`, `ocr` or `embed`. "
        "`ingest worker --lanes` then chooses what its host is for.",
    )
    drain_idle_seconds: float = Field(
        default=10, ge=0, description="How long a drain run waits for more work before it ends."
    )
    unnamed_object_hours: float = Field(
        default=24, gt=0, description="How long stored bytes stay that belong to no document."
    )
    replaced_version_days: float = Field(
        default=7, ge=0, description="How long the stored bytes of a replaced version stay."
    )
    orphans_swept: int = Field(
        default=100,
        ge=0,
        description="How many stored objects that belong to no document are removed although they are most of the "
        "store; if there are more, the database is likelier to be the wrong one.",
    )
    partitions_kept: int = Field(
        default=50_000, ge=0, description="How many finished documents Dagster lists, the newest first; 0 means all."
    )
    dagster_retention_days: int = Field(
        default=30,
        ge=0,
        description="How long Dagster keeps runs that it no longer needs to show a document's state; 0 means forever.",
    )
    sensor_seconds: int = Field(default=2, gt=0, description="How often the sensor looks at the queue.")
    jwt_secret: SecretStr | None = Field(
        default=None,
        min_length=SHORTEST_SECRET,
        description="The secret that signs access tokens of HTTP requests (HS256).",
    )
    jwt_secret_file: Path | None = Field(
        default=None, description="A file with that secret, which `ingest serve` reads when it starts."
    )
    jwt_jwks_url: str | None = Field(
        default=None, description="The public keys of access tokens: https://, file:///path or a path."
    )
    jwt_audience: str = Field(default="authenticated", description="The audience that access tokens must have.")
    jwt_issuer: str | None = Field(default=None, description="The issuer that access tokens must have; any by default.")
    requests_per_minute: int = Field(default=600, gt=0, description="The most HTTP requests of one user per minute.")
    connections: int = Field(
        default=500, gt=0, description="The most HTTP connections of one process; beyond that, the slowest ends."
    )
    arrival_seconds: float = Field(
        default=10,
        gt=0,
        description="How long the head of an HTTP request may take, and its body more than at 64 KB a second.",
    )
    uploads_at_once: int = Field(
        default=40, gt=0, description="How many of the largest files one HTTP process takes in at a time, by bytes."
    )
    uploads_per_user: int = Field(default=10, gt=0, description="The same for one user.")
    streams: int = Field(
        default=200,
        gt=0,
        description="How many streams of events one HTTP process serves at a time, at most on half of its connections.",
    )
    streams_per_user: int = Field(default=10, gt=0, description="The same for one user.")
    stream_seconds: float = Field(
        default=3600, gt=0, description="After this time a stream of events ends, and the caller opens it again."
    )
    trusted_proxies: str | None = Field(
        default=None,
        description="Whose X-Forwarded-For the HTTP service believes: addresses or networks, separated by commas.",
    )
    download_url_seconds: int = Field(
        default=60,
        ge=0,
        le=3600,
        description="How long the address in a bucket is good for to which `ingest serve` sends whoever downloads a "
        "document; 0 has it hand out the bytes itself, for buckets that its callers cannot reach.",
    )
    llamaparse_webhook_secret: SecretStr | None = Field(
        default=None,
        description="The secret that signs LlamaParse's callbacks; without it, each remote job has its own.",
    )
    llamaparse_webhook_secret_file: Path | None = Field(
        default=None, description="A file with that secret, which `ingest serve` reads when it starts."
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=SHORTEST_SECRET,
        description="The bearer token with which Prometheus reads /metrics; without it, nobody does.",
    )
    metrics_token_file: Path | None = Field(
        default=None, description="A file with that token, which `ingest serve` reads when it starts."
    )
    ops_password_file: Path | None = Field(
        default=None,
        description="A file with the password of the dashboards at /ops, with any user name, read for each request; "
        "without it, nobody sees them.",
    )
    promise_seconds: int = Field(
        default=600, gt=0, description="How soon after being queued a document should be searchable (the SLA)."
    )
    webhook_max_bytes: int = Field(default=32 * 1024 * 1024, gt=0, description="Larger callbacks are refused.")
    silence_seconds: int = Field(
        default=60,
        ge=5,
        description="How long a process of `ingest up`, or the embedded database, may give no answer before it is "
        "started again.",
    )
    alert_webhook_url: SecretStr | None = Field(
        default=None, description="Where alerts are posted, once per condition and hour: http:// or https://."
    )
    alert_format: Literal["json", "slack", "teams"] = Field(
        default="json", description="What reads them: any program, Slack's incoming webhooks, or a workflow of Teams."
    )
    otel_endpoint: str | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Where traces go, by OTLP over HTTP; it needs the extra `tracing`. OpenTelemetry's other variables "
        "hold too.",
    )
    log_format: Literal["human", "json"] = Field(
        default="human", description="How `ingest serve`, and the processes and runs of `ingest up`, write their logs."
    )
    ui_port: int = Field(default=3000, ge=0, le=65535, description="Where `ingest up` serves the Dagster UI.")
    ui_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="The names by which the UI may be called besides localhost and 127.0.0.1, such as a proxy's; "
        "separated by commas.",
    )
    ui_password_file: Path | None = Field(
        default=None,
        description="A file with the password of the UI, with any user name; by default, it asks for none.",
    )
    ui_user_header: str | None = Field(
        default=None,
        description="The header in which a proxy names whom it has let in; the UI refuses requests without it. Whoever "
        "reaches the UI past the proxy, as other users of this machine do, can set it too, unless there is a password.",
    )

    @property
    def home_folder(self) -> Path:
        return self.home.expanduser().absolute()

    @property
    def embedded(self) -> bool:
        """Return whether the embedded database is used."""
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
    def sweep_limits(self) -> SweepLimits:
        unnamed, replaced = timedelta(hours=self.unnamed_object_hours), timedelta(days=self.replaced_version_days)
        return SweepLimits(unnamed, replaced, self.orphans_swept)

    @property
    def dagster_home(self) -> Path:
        return self.home_folder / "dagster"

    @property
    def object_store_url(self) -> str:
        return (self.home_folder / "objects").as_uri() if self.storage_url is None else self.storage_url

    @property
    def stores_in_folder(self) -> bool:
        return self.object_store_url.startswith("file:")

    @property
    def objects_folder(self) -> Path:
        """The folder of stored documents, if they are in one."""
        return Path(unquote(urlsplit(self.object_store_url).path))

    @field_validator("ui_hosts", mode="before")
    @classmethod
    def _split_at_commas(cls, names: object) -> object:
        return tuple(each.strip().lower() for each in names.split(",")) if isinstance(names, str) else names

    @field_validator("ocr_languages", mode="before")
    @classmethod
    def _as_languages(cls, names: object) -> object:
        if not isinstance(names, str):
            return names
        languages = tuple(dict.fromkeys(part for each in names.replace("+", ",").split(",") if (part := each.strip())))
        return () if languages == ("none",) else languages

    @field_validator("ocr_languages")
    @classmethod
    def _are_there(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        try:
            if languages:
                folder_of(languages)
        except LookupError as error:
            raise ValueError(error.args[0]) from None
        return languages

    @field_validator("storage_url")
    @classmethod
    def _is_url_of_store(cls, url: str | None) -> str | None:
        if url is not None and not is_url_of_store(url):
            raise ValueError("it must look like file:///path or s3://bucket/prefix")
        return url

    @field_validator("broker_url")
    @classmethod
    def _is_url_of_broker(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit("redis://host" if url is None else url.get_secret_value())
        if parts.scheme not in BROKERS or not (parts.hostname or parts.path.strip("/")):
            raise ValueError("it must look like redis://host/0, rediss://host/0 or amqp://host/name")
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, proxies: str | None) -> str | None:
        for each in (proxies or "127.0.0.1").split(","):
            ip_network(each.strip())
        return proxies

    @field_validator("alert_webhook_url")
    @classmethod
    def _is_http_url(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit("http://host" if url is None else url.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must look like http://host/path or https://host/path")
        return url


def is_url_of_store(url: str) -> bool:
    """Return whether a URL names a folder or a bucket."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return parts.netloc in ("", "localhost") and parts.path != ""
    return parts.scheme == "s3" and BUCKET.fullmatch(parts.netloc) is not None and not parts.query


def sqlalchemy_url(url: str) -> str:
    """Return the URL for Dagster, which needs the driver psycopg2: with SQLAlchemy's default, its NOTIFY fails."""
    return f"postgresql+psycopg2:{url.partition(':')[2]}"


def libpq_url(url: str) -> str:
    """Return the URL without SQLAlchemy's driver, which it has where Dagster is told it."""
    scheme, _, rest = url.partition(":")
    return f"postgresql:{rest}" if scheme.startswith("postgresql+") else url


def sibling_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    parts = urlsplit(url)
    return _joined(parts._replace(path=f"/{quote(name)}"))


def login_url(url: str, login: str) -> str:
    """Return the URL for another login, whose password libpq finds in its usual places."""
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    return _joined(parts._replace(netloc=f"{quote(login)}@{server}"))


def _joined(parts: SplitResult) -> str:
    """Return the URL; `urlunsplit` would drop the slashes before an empty server name, which libpq needs."""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?' if parts.query else ''}{parts.query}"
