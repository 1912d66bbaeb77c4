"""Somebody between the pipeline and a database elsewhere reads along."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.diagnosis import Diagnosis
from ingest_assets.adapters.postgres.encryption import is_local
from ingest_assets.cli.commands.doctor import _connection
from ingest_assets.composition import Deployment
from ingest_assets.domain.encryption import Encryption
from ingest_assets.domain.errors import IngestError, OutageError
from ingest_assets.settings import Settings

LONG_SECONDS = 60.0

LOCAL = [
    "postgresql:///ingest",
    "postgresql://me@/ingest?host=/run/postgresql",
    "postgresql://me@localhost/ingest",
    "postgresql://me@127.0.0.1:5433/ingest",
    "postgresql://me@[::1]/ingest",
    "postgresql://me@db.example/ingest?hostaddr=127.0.0.1",
]
ELSEWHERE = [
    "postgresql://me@db.example/ingest",
    "postgresql://me@10.0.0.1/ingest",
    "postgresql://me@localhost,db.example/ingest",
    "postgresql://me@localhost.example/ingest",
    "postgresql://me@localhost/ingest?hostaddr=10.0.0.1",
    "postgresql://me@/ingest?host=db.example",
    "postgresql://me@/ingest?host=/run/postgresql,db.example",
    "postgresql://me@db.example/ingest?sslmode=prefer",
    "postgresql://me@db.example/ingest?sslmode=allow",
    "postgresql://me@localhost/ingest?service=theirs",
    "postgresql:///?service=theirs",
]


def refused(tmp_path: Path, database_url: str, dagster_database_url: str | None = None) -> str | None:
    theirs = None if dagster_database_url is None else SecretStr(dagster_database_url)
    deployment = Deployment(Settings(home=tmp_path, database_url=SecretStr(database_url), dagster_database_url=theirs))
    try:
        assert deployment.database_url
        assert deployment.dagster_database_url
    except IngestError as error:
        return error.code
    return None


@pytest.mark.parametrize("url", LOCAL)
def test_what_stays_on_the_machine_needs_no_encryption(url: str, tmp_path: Path) -> None:
    assert is_local(url)
    assert refused(tmp_path, database_url=url) is None


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_database_elsewhere_needs_a_decision(url: str, tmp_path: Path) -> None:
    assert refused(tmp_path, url) == "encryption_undecided"
    assert refused(tmp_path, database_url=LOCAL[0], dagster_database_url=url) == "encryption_undecided"


@pytest.mark.parametrize("mode", ["verify-full", "require", "disable"])
def test_any_decision_is_heeded(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://me@db.example/ingest"
    assert refused(tmp_path, database_url=f"{url}?sslmode={mode}") is None
    monkeypatch.setenv("PGSSLMODE", mode)
    assert refused(tmp_path, database_url=url) is None


def test_a_server_that_the_environment_names_is_elsewhere_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    assert refused(tmp_path, database_url="postgresql:///ingest") == "encryption_undecided"


@pytest.mark.parametrize(("name", "value"), [("PGHOSTADDR", "10.0.0.1"), ("PGSERVICE", "theirs")])
def test_the_environment_may_lead_a_local_name_elsewhere(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert refused(tmp_path, database_url="postgresql://me@localhost/ingest") == "encryption_undecided"
    assert refused(tmp_path, database_url="postgresql://me@localhost/ingest?hostaddr=127.0.0.1") is None


def test_a_mode_of_the_environment_decides_nothing_that_a_service_may_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert refused(tmp_path, database_url="postgresql:///?service=theirs") == "encryption_undecided"


def test_a_session_over_a_socket_is_local_and_not_encrypted(database_url: str) -> None:
    assert Diagnosis(database_url).encryption() == Encryption(is_local=True, protocol=None, checks_server=False)


def test_encryption_that_ends_before_the_server_is_none(decrypting_proxy: str) -> None:
    """The client sees an encrypted session; behind the proxy, everybody reads along."""
    assert Diagnosis(decrypting_proxy).encryption().protocol is None


@pytest.mark.parametrize("mode", ["verify-full", "verify-full&sslrootcert=system"])
def test_a_certificate_that_nobody_vouches_for_is_named(
    decrypting_proxy: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(OutageError, match="database_untrusted"):
        Diagnosis(decrypting_proxy.replace("require", mode)).answers()


def test_a_pool_names_the_certificate_too(decrypting_proxy: str) -> None:
    url = decrypting_proxy.replace("require", "verify-full&sslrootcert=system")
    with (
        closing(Database(url, patience=LONG_SECONDS)) as database,
        pytest.raises(OutageError, match="database_untrusted"),
        database.connection(),
    ):
        pass


def test_doctor_does_not_call_a_session_well_that_others_can_read() -> None:
    found = Encryption(is_local=False, protocol=None, checks_server=False)
    check = _connection("encryption of the database", found)
    assert not check.ok
    assert "sslrootcert=system" in str(check.hint)


@pytest.fixture
def decrypting_proxy(database_url: str, tmp_path: Path) -> Iterator[str]:
    parts = urlsplit(database_url)
    server = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=relay, args=(listening, context, server), daemon=True).start()
        yield f"postgresql://postgres@127.0.0.1:{listening.getsockname()[1]}{parts.path}?sslmode=require"


def relay(listening: socket.socket, context: ssl.SSLContext, server: str) -> None:
    with suppress(OSError):  # until nobody listens any more
        while True:
            plain, _ = listening.accept()
            threading.Thread(target=serve, args=(plain, context, server), daemon=True).start()


def serve(plain: socket.socket, context: ssl.SSLContext, server: str) -> None:
    plain.recv(8)  # the request to encrypt
    plain.sendall(b"S")
    with (
        suppress(OSError),  # a client that trusts nobody leaves
        context.wrap_socket(plain, server_side=True) as client,
        socket.socket(socket.AF_UNIX) as behind,
    ):
        behind.connect(server)
        threading.Thread(target=copy, args=(behind, client), daemon=True).start()
        copy(client, behind)


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # until either leaves
        while some := source.recv(65536):
            target.sendall(some)


def certificate(folder: Path) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "both.pem"
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path
