"""What a process that goes wrong leaves in its log and on stderr."""

import json
import subprocess
import sys

import hypothesis
import pytest
from hypothesis import strategies as st

from ingest_assets.adapters.providers import PROVIDERS
from ingest_assets_tests.canary import Canary

CANARY = Canary("Quokka7f3a9c")
GUARDED = """
import logging, sys, threading, warnings
from ingest_assets.domain.errors import PermanentError
from ingest_assets.composition import key_patterns
from ingest_assets.posix.guarded_process import guard_process
guard_process(key_patterns())
logging.basicConfig(level=logging.DEBUG, format="%(name)s %(levelname)s %(message)s")
SAID = sys.argv[1]

def fail():
    try:
        raise KeyError(SAID)
    except KeyError as error:
        raise ValueError(f"cannot read {SAID}") from error

class Dying:
    def __del__(self):
        fail()

class Unprintable:
    def __str__(self):
        fail()
"""
UNCAUGHT = {
    "in the main thread": "fail()",
    "in another thread": "thread = threading.Thread(target=fail); thread.start(); thread.join()",
    "in a finaliser": "Dying()",
    "while it is interrupted": "raise KeyboardInterrupt(SAID)",
}
LOGGED = {
    "a library's message": "logging.getLogger('httpx').info('GET https://example.org/?q=%s', SAID)",
    "a library's words": "logging.getLogger('psycopg.pool').warning(f'host {SAID}')",
    "a library's exception": """
try: fail()
except ValueError: logging.getLogger('uvicorn.error').exception('Exception in ASGI application')""",
    "our own exception": """
try: fail()
except ValueError: logging.getLogger('ingest_assets.http').exception('It failed')""",
    "a warning": "warnings.warn(f'{SAID} looks like a file name')",
    "arguments that do not fit": "logging.getLogger('dagster').error('%d', SAID)",
    "an argument that cannot be printed": "logging.getLogger('dagster').error('%s', Unprintable())",
}


def test_in_json_every_line_is_an_object_and_says_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_LOG_FORMAT", "json")
    begin = "from ingest_assets.posix.log_lines import follow_the_setting; follow_the_setting()"
    named = "logging.getLogger('ingest_assets').info('x', extra={'correlation_id': 'a request', 'code': 'corrupt'})"
    foreign = f"logging.getLogger('httpx').info('x', extra={{'code': '{CANARY.word}'}})"
    code = "\n".join([begin, named, foreign, *LOGGED.values(), UNCAUGHT["in another thread"], "fail()"])
    lines = [json.loads(line) for line in ran(code).splitlines()]
    assert (lines[0]["message"], lines[0]["correlation_id"], lines[0]["code"]) == ("x", "a request", "corrupt")
    assert {line["level"] for line in lines} == {"INFO", "WARNING", "ERROR", "CRITICAL"}
    assert not CANARY.is_in(str(lines))


def ran(code: str, said: str = CANARY.word) -> str:
    process = subprocess.run(
        [sys.executable, "-c", GUARDED + code, said], capture_output=True, text=True, check=False, timeout=60
    )
    return process.stdout + process.stderr


@pytest.mark.parametrize("where", UNCAUGHT)
def test_an_uncaught_exception_tells_its_type_and_places(where: str) -> None:
    told = ran(UNCAUGHT[where])
    assert not CANARY.is_in(told), told
    assert "Interrupted." in told or ("builtins.ValueError" in told and "builtins.KeyError" in told)
    assert "Interrupted." in told or "in fail" in told


@pytest.mark.parametrize("what", LOGGED)
def test_what_is_logged_tells_who_logged_it_and_where(what: str) -> None:
    told = ran(LOGGED[what])
    assert told
    assert not CANARY.is_in(told), told


def test_our_own_and_dagsters_messages_stay_but_for_secrets() -> None:
    told = ran("""
logging.getLogger("ingest_assets.http").info("%s %s %d", "POST", "/v1/search", 200)
logging.getLogger("dagster.daemon").warning(f"Run {7} of me:{SAID}@db.example://me:{SAID}@host")
try:
    raise PermanentError("too_large", limit=7)
except PermanentError:
    logging.getLogger("ingest_assets").exception("Refused")
""")
    assert "POST /v1/search 200" in told
    assert "dagster.daemon WARNING Run 7 of" in told
    assert "too_large: The file has more than 7 bytes." in told
    assert not CANARY.is_in(told), told


PROCESSES = {
    "the command line and the HTTP service": """
from ingest_assets.cli import app
app.app = tell
app.main()
""",
    "Dagster's webserver, daemon and code location": """
import ingest_assets.definitions
tell()
""",
    "a run": """
from ingest_assets.orchestration.warm_launcher.preload import Preloaded
Preloaded("ingest_assets.definitions")
tell()
""",
}
TELLING = """
import logging, sys
def tell():
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for key in sys.argv[1:]:
        logging.getLogger("ingest_assets.any").info("the key %s is refused", key)
        logging.getLogger("dagster.daemon").info(f"key={key}")
"""


@pytest.mark.parametrize("process", PROCESSES)
def test_no_process_logs_a_key_of_any_registered_provider(process: str) -> None:
    keys = [hypothesis.find(st.from_regex(each.key_pattern, fullmatch=True), lambda _: True) for each in PROVIDERS]
    command = [sys.executable, "-c", TELLING + PROCESSES[process], *keys]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert ran.stderr.count("the key [redacted] is refused") == len(PROVIDERS)
    assert not [key for key in keys if key in ran.stderr + ran.stdout]


def test_the_registry_of_providers_loads_no_client() -> None:
    code = "import sys, ingest_assets.adapters.providers; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    heavy = {"openai", "llama_parse", "httpx", "httpx2", "numpy", "tiktoken", "psycopg", "pydantic", "asyncio"}
    assert not heavy & set(ran.stdout.split())
