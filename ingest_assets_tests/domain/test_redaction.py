import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.redaction import REDACTED, redactor

without_secrets = redactor([r"sk-[\w-]{8,}", r"llx-[\w-]{8,}"])

SECRETS = st.sampled_from(
    [
        "sk-proj-A1b2C3d4E5f6G7h8",
        "llx-A1b2C3d4E5f6G7h8",
        "mrs.example@mail.example.org",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ]
)
SURROUNDINGS = st.text(alphabet=" \t\n'\"()<>:;,/=é", max_size=30)


@given(SURROUNDINGS, SECRETS, SURROUNDINGS)
def test_keys_addresses_and_tokens_are_taken_out_wherever_they_stand(before: str, secret: str, after: str) -> None:
    told = without_secrets(before + secret + after)
    assert secret not in told
    assert REDACTED in told
    assert without_secrets(told) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"),
        ("postgresql://me:word@db.example/ingest", "postgresql://[redacted]@db.example/ingest"),
        ("POST /v1/webhooks/llamaparse?secret=abc&x=1 200", "POST /v1/webhooks/llamaparse?[redacted]&x=1 200"),
        ("run 3f2c7a52-6a0f-4f0e-9a51-0f5b8f6f2f11 took 4.5 s", "run 3f2c7a52-6a0f-4f0e-9a51-0f5b8f6f2f11 took 4.5 s"),
        ("A task-force of desk-clerks", "A task-force of desk-clerks"),
    ],
)
def test_what_is_no_secret_stays(text: str, told: str) -> None:
    assert without_secrets(text) == told


@pytest.mark.parametrize("text", ["a" * 200_000, "a." * 100_000, "://" * 70_000, "sk-" * 70_000, "Bearer " * 30_000])
def test_long_texts_are_searched_once(text: str) -> None:
    """What takes quadratic time takes minutes here, and the test's time limit ends it."""
    assert without_secrets(text)
