"""Addresses that are signed as S3's documentation shows it."""

from datetime import UTC, datetime

import httpx
import pytest

from ingest_assets.adapters.object_stores.bucket import Bucket
from ingest_assets.adapters.object_stores.presigned import Signer
from ingest_assets.domain.documents.download import Download
from ingest_assets_tests.seaweedfs import BUCKET, needs_seaweedfs, seaweedfs
from ingest_assets_tests.supabase import below_a_path

KEYS = {"access_key_id": "a", "secret_access_key": "b"}
SAID = Download("policy.md", "text/markdown", 60)


def test_the_example_of_the_documentation_is_signed_so() -> None:
    signer = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    now = datetime(2013, 5, 24, tzinfo=UTC)
    signed = signer.signed("https://examplebucket.s3.amazonaws.com/test.txt", {}, 86400, now)
    assert signed.endswith("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    assert "wJalr" not in repr(signer)


@needs_seaweedfs
def test_an_address_is_of_one_object_and_of_no_other_and_cannot_be_changed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        objects = Bucket(BUCKET, "a prefix/ü", server.settings)
        for name in ("one", "other"):
            objects.put(f"user/document/{name}", name.encode())
        address = objects.address("user/document/one", SAID)
        assert address is not None
        assert httpx.get(address, trust_env=False).content == b"one"
        with below_a_path(server.endpoint) as endpoint:
            elsewhere = Bucket(BUCKET, "plain", {**server.settings, "endpoint": endpoint})
            elsewhere.put("user/document/one", b"below a path")
            found = elsewhere.address("user/document/one", SAID)
            assert found is not None
            assert httpx.get(found, trust_env=False).content == b"below a path"
        for forged in (
            address.replace("/one?", "/other?"),
            address.replace("text%2Fmarkdown", "text%2Fhtml"),
            address.replace("attachment", "inline"),
            address.replace("Expires=60", "Expires=6000"),
        ):
            assert forged != address
            assert httpx.get(forged, trust_env=False).status_code == 403
        assert httpx.put(address, content=b"x", trust_env=False).status_code == 403
        assert httpx.delete(address, trust_env=False).status_code == 403


@pytest.mark.parametrize("settings", [{}, {**KEYS, "virtual_hosted_style_request": "true"}])
def test_no_address_is_made_without_keys_or_where_buckets_are_hosts(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert Bucket(BUCKET, "", settings).address("user/document/one", SAID) is None


def test_an_address_on_aws_has_the_bucket_in_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    settings = {**KEYS, "session_token": "a/token", "region": "eu-central-1"}
    address = Bucket(BUCKET, "", settings).address("user/document/one", SAID)
    assert address is not None
    assert address.startswith("https://s3.eu-central-1.amazonaws.com/claims/user/document/one?")
    assert "X-Amz-Security-Token=a%2Ftoken&" in address
