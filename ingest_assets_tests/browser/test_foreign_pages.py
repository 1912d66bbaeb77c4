"""A page of another origin in the browser of somebody who has logged in to Dagster's page."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext

from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.system.ingest import Ingest, Ui
from ingest_assets_tests.system.test_deployment import SELECTOR

pytestmark = pytest.mark.timeout(600)

PATIENCE_MS = 120_000
PASSWORD = "correct horse"  # noqa: S105
REPOSITORY = " ".join(f'{name}: "{value}"' for name, value in SELECTOR.items())
LAUNCH = f"""mutation {{ launchRun(executionParams: {{ mode: "default", runConfigData: "{{}}",
  selector: {{ {REPOSITORY} jobName: "drain_queue" }} }}) {{ __typename }} }}"""
PARTITION = f"""mutation {{ addDynamicPartition(partitionsDefName: "documents", partitionKey: "forged",
  repositorySelector: {{ {REPOSITORY} }}) {{ __typename }} }}"""
STATE = """{ runsOrError { ... on Runs { results { runId } } }
  assetNodes(assetKeys: [{ path: ["chunks"] }]) { partitionStats { numPartitions } } }"""

ATTACK = """<!doctype html><title>at work</title><body><script>
const target = %(url)r, operation = %(operation)r, answers = [];
const json = JSON.stringify({ query: operation });
const link = target + '/graphql?query=' + encodeURIComponent(operation);
function form() {
  const frame = document.createElement('iframe'), form = document.createElement('form');
  frame.name = 'hidden'; form.target = 'hidden'; form.method = 'POST'; form.action = link; form.enctype = 'text/plain';
  document.body.append(frame, form); form.submit();
  return new Promise(done => { frame.onload = () => done('form sent'); });
}
function socket() {
  return new Promise(done => {
    const socket = new WebSocket(target.replace('http', 'ws') + '/graphql', 'graphql-ws');
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'connection_init' }));
      socket.send(JSON.stringify({ type: 'start', id: '1', payload: { query: operation } }));
    };
    socket.onmessage = event => { done('socket READ ' + event.data); };
    socket.onerror = () => done('socket refused');
  });
}
function image(address) {
  const image = new Image();
  image.src = address;
  return new Promise(done => { image.onload = image.onerror = () => done('image'); });
}
const simple = { method: 'POST', mode: 'no-cors', credentials: 'include' };
const ways = [
  () => fetch(target + '/graphql', { ...simple, body: json }).then(() => 'sent'),
  () => fetch(link, { ...simple }).then(() => 'sent'),
  () => fetch(target + '/graphql', { method: 'POST', credentials: 'include', body: json,
                                     headers: { 'Content-Type': 'application/json' } }).then(a => 'READ ' + a.status),
  () => fetch(link, { credentials: 'include' }).then(a => a.text()).then(text => 'READ ' + text),
  () => fetch(target + '/logs/a/b/out', { credentials: 'include' }).then(a => 'READ ' + a.status),
  () => image(link), form, socket,
];
(async () => {
  for (const way of ways) answers.push(await way().catch(error => 'refused'));
  document.title = answers.join('; ');
})();
</script>"""


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Ingest:
    home = tmp_path_factory.mktemp("home")
    (home / "password").write_text(PASSWORD)
    return Ingest(home, (("INGEST_UI_PASSWORD_FILE", str(home / "password")),))


@pytest.fixture(scope="module")
def ui(ingest: Ingest) -> Iterator[Ui]:
    with ingest.up() as running:
        yield Ui(running.url, PASSWORD)


@pytest.fixture
def somebody(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody who has logged in, and whose browser keeps the password."""
    context = browser.new_context(http_credentials={"username": "dana", "password": PASSWORD})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@contextmanager
def foreign_page(page: str) -> Iterator[str]:
    """Serve a page from an origin of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("operation", [LAUNCH, PARTITION], ids=["launch a run", "add a partition"])
def test_a_page_of_another_origin_starts_nothing_and_reads_nothing(
    ui: Ui, somebody: BrowserContext, operation: str
) -> None:
    before = ui.query(STATE)
    page = somebody.new_page()
    page.goto(ui.url)
    one_line = " ".join(operation.split())
    with foreign_page(ATTACK % {"url": ui.url, "operation": one_line}) as address:
        page.goto(address)
        page.wait_for_function("document.title !== 'at work'")
        said = page.title()
    page.goto(f"{ui.url}/graphql?query={quote(one_line)}")
    assert "READ" not in said, said
    assert ui.query(STATE) == before
    ui.query(one_line)
    assert ui.query(STATE) != before, "the operation does nothing for those who may: the test proves nothing"


def test_the_page_works_behind_a_password(ingest: Ingest, ui: Ui, somebody: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "policy.md"
    file.write_text(policy_text("Walrus"))
    [submitted] = ingest("submit", file, "--wait", "--json").json
    assert submitted["state"] == "done"
    page = somebody.new_page()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{ui.url}/asset-groups")
    page.get_by_text("parsed_markdown").first.wait_for()
    page.goto(f"{ui.url}/assets/finalized_chunks?view=partitions")
    page.get_by_text(submitted["document_id"]).first.wait_for(state="attached")
    assert sockets
    assert refused == []
