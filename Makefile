# Everything a user or CI needs; the environment is .venv and nothing outside it is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_LINK_MODE := copy
export UV_SYSTEM_CERTS := true
export DAGSTER_DISABLE_TELEMETRY := yes

.PHONY: demo test fuzz bench dev check audit install lock clean

demo: install  ## the main job from start to end, on example documents
	$(BIN)/python examples/run_demo.py

test: install check  ## every test
	$(BIN)/pytest --numprocesses 2 --dist loadfile

fuzz: install  ## damaged real files, ROUNDS of each, from SEED on
	INGEST_FUZZ_ROUNDS=$(or $(ROUNDS),100) INGEST_FUZZ_SEED=$(or $(SEED),1) $(BIN)/pytest --numprocesses 2 \
	  ingest_assets_tests/hostile/test_mutations.py

check: install  ## style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

audit: install $(VENV)/audit/.installed  ## licences, and known vulnerabilities of all that is pinned: asks a public service
	$(BIN)/python -m supply_chain.licences
	for lock in requirements*.lock; do \
	  $(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement $$lock || exit 1; \
	done

bench: install  ## speed, each figure in benchmarks/results/latest.json
	$(BIN)/python -m benchmarks

dev: install  ## everything running, until Ctrl-C
	$(BIN)/ingest up

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock requirements-installer.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "ingest-assets needs Python 3.11, 3.12 or 3.13; set PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-installer.lock
	@# pip is slower, but knows the indexes and certificates of machines that configure them for pip alone
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-installer.lock requirements.lock \
	  || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/audit/.installed: requirements-audit.lock | install
	$(PYTHON) -m venv $(VENV)/audit
	$(BIN)/uv pip sync --quiet --python $(VENV)/audit/bin/python --require-hashes requirements-audit.lock \
	  || $(VENV)/audit/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@

lock: install  ## new pins for pyproject.toml's ranges, for every supported Python, without any index address
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group installer -o requirements-installer.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group audit -o requirements-audit.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --no-header --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV)
