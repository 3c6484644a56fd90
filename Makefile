# Two commands matter: `make run` and `make test`. All work in an environment of their own, .venv.
PYTHON ?= python3
PORT ?= 8000
DATA ?= var/demo
BIN := .venv/bin
# Three on two cores: a third of the tests' time is waiting for timers, disks and services.
TESTERS ?= 3

.PHONY: run test check bench soak torture format lock audit clean help

run: .venv/run.installed  ## start the service with the demo city and simulated traffic
	$(BIN)/kuaijing serve --demo --data $(DATA) --port $(PORT)

test: .venv/dev.installed  ## all tests in their per-commit form
	$(BIN)/python -m pytest --numprocesses=$(TESTERS) --dist=loadfile --no-loadscope-reorder

check: .venv/dev.installed  ## style, types, import contracts, and the audit where there is internet
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/audit --if-online

bench: .venv/dev.installed  ## the latency benchmark on the shipped network
	$(BIN)/kuaijing bench latency

soak: .venv/dev.installed  ## five minutes of a city's load: nothing lost, nothing drifts, nothing grows
	$(BIN)/kuaijing bench load --seconds 300

torture: .venv/dev.installed  ## the long form of the crash, race and property tests
	KUAIJING_LONG=1 $(BIN)/python -m pytest --timeout=1800 tests/crash tests/properties tests/scenarios tests/fuzz tests/contracts/test_http_generated_calls.py

format: .venv/dev.installed  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/dev.installed  ## renew the pinned versions
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-emit-index-url --quiet --upgrade --output-file requirements/run.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-emit-index-url --quiet --upgrade --output-file requirements/dev.lock

audit: .venv/dev.installed  ## known weaknesses of the pinned versions; needs the internet
	$(BIN)/python .ci/audit

clean:  ## remove the environment and all that was made
	rm -rf .venv var out

help:
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kuaijing needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv

.venv/run.installed: .venv/bin/python pyproject.toml requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/kuaijing warm
	touch $@

.venv/dev.installed: .venv/run.installed requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	touch $@
