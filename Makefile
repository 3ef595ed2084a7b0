# Needs make and a Python from 3.11; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: conformance test alone soak kill-matrix bench lint format docs site clean

conformance: $(STAMP)  ## Grade the reference queue on embedded SQLite: all but latency in parallel, then latency alone
	$(BIN)/pytest --taskq-conformance -m taskq -n auto --taskq-report=taskq-report
	$(BIN)/pytest --taskq-conformance -m taskq -k timing -n0 --taskq-latency=on --taskq-report=taskq-report/timing

# The long tests are collected first; by default one process is given nearly all of them, and the other waits at the end.
test: $(STAMP)  ## The project's own tests; with PYTEST_TASKQ_REQUIRE=postgres they fail where they find no server
	$(BIN)/pytest -n auto --dist worksteal

alone: $(STAMP)  ## Tests that need the machine for themselves: broken queues that are too slow, quick runs of the benchmarks
	$(BIN)/pytest -m alone

soak: $(STAMP)  ## Tests that take minutes
	$(BIN)/pytest -m soak -n auto

kill-matrix: $(STAMP)  ## Judge every broken and every correct queue by all requirements, and write what comes of it
	$(BIN)/python tests/mutants/kill_matrix.py
	$(BIN)/python -m pytest_taskq.reports.contract_page > docs/contract.md

bench: $(STAMP)  ## Measure the reference beside the floor and its peers, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

lint: $(STAMP)  ## Lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	rm -rf .venv/tree && mkdir -p .venv/tree/pytest_taskq
	ln -s $(CURDIR)/pytest_taskq/* $(CURDIR)/conformance $(CURDIR)/reference_impl .venv/tree/pytest_taskq/
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(STAMP)  ## Regenerate what is generated from the contract
	$(BIN)/python -m pytest_taskq.reports.contract_page > docs/contract.md

site: .venv/.site-installed  ## Make the pages of docs/ into HTML; a link that leads nowhere fails
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs

clean:
	rm -rf .venv taskq-report dist build

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev --group peers
	touch $@

.venv/.site-installed: $(STAMP)
	$(BIN)/python -m pip install --quiet --group docs
	touch $@
