# Everything that a user or CI needs. The environment is .venv; nothing outside it is changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_LINK_MODE := copy
export UV_SYSTEM_CERTS := true
export DAGSTER_DISABLE_TELEMETRY := yes

.PHONY: demo test fuzz faults cluster restore-drill quality dashboards docs screenshots bench load dev check audit sbom servers install lock clean

demo: install  ## ingest the example documents through Dagster, and search them
	$(BIN)/python examples/run_demo.py

test: install check  ## run every test; one process more than two cores, since some tests wait
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 25

fuzz: install  ## test with damaged real files: ROUNDS of each, starting at SEED
	INGEST_FUZZ_ROUNDS=$(or $(ROUNDS),100) INGEST_FUZZ_SEED=$(or $(SEED),1) $(BIN)/pytest --numprocesses 2 \
	  ingest_assets_tests/hostile/test_mutations.py

faults: install  ## break a deployment KILLS times while DOCUMENTS go through it, by a schedule from SEED
	$(BIN)/python -m ingest_assets_tests.faults.harness $(if $(SEED),--seed $(SEED)) --kills $(or $(KILLS),20) \
	  --documents $(or $(DOCUMENTS),50) $(if $(REPORT),--report $(REPORT))

cluster: install servers  ## measure two worker hosts against one, and break them: hosts are network namespaces (root only)
	$(BIN)/python -m ingest_assets_tests.cluster --broker $(or $(BROKER),redis) --documents $(or $(DOCUMENTS),300) \
	  --rounds $(or $(ROUNDS),2) $(if $(KEEP),--keep $(KEEP))

restore-drill: install  ## back up a deployment at work, restore it elsewhere, and compare: DOCUMENTS of them
	$(BIN)/python -m ingest_assets_tests.system.restore_drill $(if $(DOCUMENTS),--documents $(DOCUMENTS))

check: install  ## check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

audit: install $(VENV)/audit/.installed  ## check licences, and ask a public index for known vulnerabilities of the pins
	$(BIN)/python -m supply_chain.licences
	for lock in requirements*.lock; do \
	  $(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement $$lock || exit 1; \
	done

sbom: install $(VENV)/audit/.installed  ## list what runs in production, with versions, hashes and licences (CycloneDX)
	@$(VENV)/audit/bin/python -m supply_chain.bill_of_materials "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" sbom.cdx.json

docs: install $(VENV)/docs/.installed  ## write docs/reference anew from the code, and build the documentation's site into site/
	$(BIN)/python -m documentation
	$(VENV)/docs/bin/zensical build --strict --clean

quality: install  ## score what is read and found of documents whose content is known; PEERS="--peer TOOL=PYTHON …"
	$(BIN)/python -m benchmarks.quality $(PEERS)

dashboards: install  ## write the dashboards for Grafana anew: monitoring/dashboards/*.json
	$(BIN)/python -m monitoring.builder

screenshots: install  ## take the README's pictures of Dagster's page anew, with Debian's Chromium
	$(BIN)/python -m ingest_assets_tests.browser.pictures

bench: install  ## measure the speed; benchmarks/results/latest.json has every figure
	$(BIN)/python -m benchmarks

load: install  ## measure a deployment under load: MINUTES of RATE documents an hour and searches by USERS; DATABASE_URL=…
	$(BIN)/python -m benchmarks.load --minutes $(or $(MINUTES),15) --documents-per-hour $(or $(RATE),10100) \
	  --users $(or $(USERS),200) $(if $(DATABASE_URL),--database-url $(DATABASE_URL))

dev: install  ## run everything until Ctrl-C
	$(BIN)/ingest up

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock requirements-installer.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "ingest-assets needs Python 3.11, 3.12 or 3.13; set PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-installer.lock
	@# pip is slower, but it finds the indexes and certificates of machines that configure only pip
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-installer.lock requirements.lock \
	  || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/audit/.installed: requirements-audit.lock | install
	$(PYTHON) -m venv $(VENV)/audit
	$(BIN)/uv pip sync --quiet --python $(VENV)/audit/bin/python --require-hashes requirements-audit.lock \
	  || $(VENV)/audit/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@

servers: $(VENV)/servers/.installed  ## install servers that only tests need; what lacks one is skipped by name

$(VENV)/servers/.installed: requirements-servers.lock | install
	$(PYTHON) -m venv $(VENV)/servers
	$(BIN)/uv pip sync --quiet --python $(VENV)/servers/bin/python --require-hashes requirements-servers.lock \
	  || $(VENV)/servers/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-servers.lock
	@touch $@

$(VENV)/docs/.installed: requirements-docs.lock | install
	$(PYTHON) -m venv $(VENV)/docs
	$(BIN)/uv pip sync --quiet --python $(VENV)/docs/bin/python --require-hashes requirements-docs.lock \
	  || $(VENV)/docs/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

lock: install  ## pin pyproject.toml's ranges anew for every supported Python, without an index address
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group installer -o requirements-installer.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group audit -o requirements-audit.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group servers -o requirements-servers.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group docs -o requirements-docs.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group dev pyproject.toml -o requirements.lock
	@# what containers install, in the versions that the tests ran with; and what builds the project itself
	$(BIN)/uv pip compile --quiet --universal --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --constraint requirements.lock --extra s3 pyproject.toml -o requirements-production.lock
	$(BIN)/uv pip compile --quiet --universal --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --constraint requirements.lock --group build -o requirements-build.lock

clean:
	rm -rf $(VENV)
