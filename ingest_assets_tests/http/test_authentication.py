"""Who is let in, and who is not."""

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from ingest_assets.domain.errors import IngestError
from ingest_assets.http.authentication import Authentication
from ingest_assets.http.signing_keys import FRESH_SECONDS, LEAST_SECONDS, SigningKeys
from ingest_assets_tests.http.api import SECRET, Api, assert_problem, token_of

USER = uuid4()
HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def key_set(*extra: dict[str, Any]) -> str:
    keys = [
        ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True) | {"kid": "ec"},
        RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True) | {"kid": "rsa"},
        OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True) | {"kid": "ed", "alg": "EdDSA"},
        *extra,
    ]
    return json.dumps({"keys": keys})


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Signed by hand: the library would not take a public key for a secret."""
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
    signature = hmac.new(secret, signed, sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(key_set())
    return path


@pytest.fixture
def both(key_file: Path) -> Authentication:
    keys = SigningKeys(str(key_file))
    return Authentication(secret=SECRET, keys=keys, audience="authenticated", issuer=None)


def code_of(authentication: Authentication, token: str) -> str:
    with pytest.raises(IngestError) as raised:
        authentication.admit(token)
    assert raised.value.__cause__ is None
    return raised.value.code


def test_good_tokens_of_every_kind_are_let_in(both: Authentication) -> None:
    tokens = [
        token_of(USER),
        token_of(USER, EC_KEY, "ES256", kid="ec"),
        token_of(USER, EC_KEY, "ES256"),
        token_of(USER, RSA_KEY, "RS256", kid="rsa"),
        token_of(USER, ED_KEY, "EdDSA", kid="ed"),
    ]
    assert {both.admit(token).user for token in tokens} == {USER}


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": HOUR_AGO}, "token_expired"),
        ({"exp": datetime.now(UTC) - timedelta(seconds=1)}, "token_expired"),
        ({"exp": None}, "token_invalid"),
        ({"nbf": datetime.now(UTC) + timedelta(hours=1)}, "token_invalid"),
        ({"aud": None}, "token_invalid"),
        ({"aud": "anon"}, "token_invalid"),
        ({"sub": None}, "token_invalid"),
        ({"sub": "me"}, "token_invalid"),
        ({"sub": ""}, "token_invalid"),
    ],
)
def test_a_token_with_wrong_claims_is_refused(both: Authentication, claims: dict[str, Any], code: str) -> None:
    assert code_of(both, token_of(USER, **claims)) == code


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "..",
        "a.b.c",
        "é.é.é",
        "x" * 10_000,
        token_of(USER, "another secret that nobody here knows"),
        token_of(USER, "", None),
        token_of(USER)[:-2],
        token_of(USER, SECRET * 2, "HS512"),
        token_of(USER, OTHER_EC_KEY, "ES256", kid="ec"),
        token_of(USER, EC_KEY, "ES256", kid="unknown"),
        token_of(USER, EC_KEY, "ES256", kid="rsa"),
        token_of(USER, RSA_KEY, "RS512", kid="rsa"),
        token_of(USER, RSA_KEY, "PS256", kid="rsa"),
        base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.x",
        base64.urlsafe_b64encode(b'{"alg":["HS256"]}').decode().rstrip("=") + ".e30.x",
    ],
)
def test_a_token_that_is_not_the_issuers_is_refused(both: Authentication, token: str) -> None:
    assert code_of(both, token) == "token_invalid"


@pytest.mark.parametrize("key", [EC_KEY, RSA_KEY])
def test_a_public_key_does_not_serve_as_a_secret(key_file: Path, both: Authentication, key: Any) -> None:
    claims = {"sub": str(USER), "aud": "authenticated", "exp": 4_000_000_000}
    keys_only = Authentication(secret=None, keys=SigningKeys(str(key_file)), audience="authenticated", issuer=None)
    for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": "rsa"}, {"alg": "none", "kid": "rsa"}):
        for authentication in (both, keys_only):
            assert code_of(authentication, forged(header, claims, pem_of(key))) == "token_invalid"
    assert both.admit(forged({"alg": "HS256"}, claims, SECRET.encode())).user == USER


def test_a_secret_in_the_public_set_is_not_used(key_file: Path) -> None:
    secret = base64.urlsafe_b64encode(SECRET.encode()).decode()
    key_file.write_text(key_set({"kty": "oct", "k": secret, "kid": "shared", "alg": "HS256"}))
    keys = SigningKeys(str(key_file))
    authentication = Authentication(secret=None, keys=keys, audience="authenticated", issuer=None)
    assert code_of(authentication, token_of(USER, kid="shared")) == "token_invalid"


def test_the_issuer_counts_where_it_is_configured() -> None:
    ours = Authentication(secret=SECRET, keys=None, audience="authenticated", issuer="https://ours.example/auth/v1")
    assert ours.admit(token_of(USER, iss="https://ours.example/auth/v1")).user == USER
    assert code_of(ours, token_of(USER, iss="https://theirs.example/auth/v1")) == "token_invalid"
    assert code_of(ours, token_of(USER)) == "token_invalid"


def test_without_secret_or_keys_there_is_no_service() -> None:
    with pytest.raises(IngestError) as raised:
        Authentication(secret=None, keys=None, audience="authenticated", issuer=None)
    assert raised.value.code == "authentication_missing"


def test_a_new_key_counts_soon_and_invented_ones_cause_no_storm(key_file: Path) -> None:
    now = 0.0
    keys = SigningKeys(key_file.as_uri(), seconds=lambda: now)
    authentication = Authentication(secret=None, keys=keys, audience="authenticated", issuer=None)
    renewed = token_of(USER, OTHER_EC_KEY, "ES256", kid="new")
    assert code_of(authentication, renewed) == "token_invalid"
    key_file.write_text(key_set(ECAlgorithm.to_jwk(OTHER_EC_KEY.public_key(), as_dict=True) | {"kid": "new"}))
    assert code_of(authentication, renewed) == "token_invalid"
    now = LEAST_SECONDS
    assert authentication.admit(renewed).user == USER


def test_keys_outlive_their_issuers_silence_but_not_their_withdrawal(key_file: Path) -> None:
    now = 0.0
    keys = SigningKeys(str(key_file), seconds=lambda: now)
    authentication = Authentication(secret=None, keys=keys, audience="authenticated", issuer=None)
    token = token_of(USER, EC_KEY, "ES256", kid="ec")
    assert authentication.admit(token).user == USER
    now = FRESH_SECONDS
    key_file.write_text("{")
    assert authentication.admit(token).user == USER
    now = 2 * FRESH_SECONDS
    key_file.write_text('{"keys": []}')
    assert code_of(authentication, token) == "token_invalid"


def test_keys_that_were_never_reached_are_the_services_fault(tmp_path: Path) -> None:
    keys = SigningKeys(str(tmp_path / "nowhere.json"))
    authentication = Authentication(secret=None, keys=keys, audience="authenticated", issuer=None)
    assert code_of(authentication, token_of(USER, EC_KEY, "ES256", kid="ec")) == "signing_keys_unreachable"


def test_every_route_but_health_and_callbacks_asks_for_a_token(api: Api) -> None:
    described = api.plainly("GET", "/openapi.json").json()["paths"]
    guarded = 0
    for path, methods in described.items():
        for method in methods:
            if path in ("/healthz", "/readyz", "/v1/webhooks/llamaparse", "/v1/webhooks/llamacloud"):
                continue
            asked = path.replace("{document_id}", str(uuid4()))
            missing = api.plainly(method.upper(), asked)
            assert_problem(missing, 401, "token_missing")
            assert missing.headers["www-authenticate"] == "Bearer"
            for authorization, code in [
                ("Basic YTpi", "token_missing"),
                ("Bearer x", "token_invalid"),
                (f"Bearer {token_of(USER, '', None)}", "token_invalid"),
                (f"Bearer {token_of(USER, exp=HOUR_AGO)}", "token_expired"),
            ]:
                headers = {"Authorization": authorization}
                assert_problem(api.plainly(method.upper(), asked, headers=headers), 401, code)
            guarded += 1
    assert guarded == 11


def test_a_caller_without_a_token_is_refused_before_the_body_is_read(api: Api) -> None:
    large = b"word " * (5 * 1024 * 1024)
    assert_problem(api.plainly("POST", "/v1/documents", content=large), 401, "token_missing")


def test_secrets_are_in_no_representation(api: Api) -> None:
    held = replace(api.service, webhook_secret="hush")  # noqa: S106
    assert api.token
    assert SECRET not in repr(held)
    assert "hush" not in repr(held)
