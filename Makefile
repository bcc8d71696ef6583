# Every target does its own set-up: python3 (3.11 or later) and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := data/demo
export DAGSTER_DISABLE_TELEMETRY := true
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false

.DEFAULT_GOAL := help
.PHONY: help run test olist faults fuzz proofs mutants lint ui bench clean

help: ## show this
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/'

run: $(VENV)/.installed ## make a small marketplace and run its last complete quarter
	rm -rf ./data/demo
	$(BIN)/fbacap generate $(DEMO)/input --sellers 300 --quarters 1 --seed 1 --last 2025Q4 --until-settled
	$(BIN)/fbacap ingest $(DEMO)/input --historical --data $(DEMO)
	$(BIN)/fbacap run 2025Q4 --data $(DEMO)

test: $(VENV)/.installed-dev ## run all tests
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

olist: $(VENV)/.installed-dev ## run the tests over all six quarters of the Olist data
	FBACAP_LONG=1 $(BIN)/pytest tests/integration/test_olist_quarters.py

faults: $(VENV)/.installed-dev ## kill, fill, close, damage and crowd real runs; some 240 kills
	$(BIN)/python -m tests.faults --kills 120 --seed 1
	FBACAP_LONG=1 $(BIN)/pytest tests/faults --junitxml=faults.xml

fuzz: $(VENV)/.installed-dev ## 100,000 hostile deliveries against ingest, hostile texts on every page
	$(BIN)/python -m tests.fuzz --cases 100000 --seed 1
	FBACAP_LONG=1 $(BIN)/pytest tests/fuzz/test_pages.py

proofs: $(VENV)/.installed-dev ## property tests with 50 times the examples
	FBACAP_PROOF_FACTOR=50 $(BIN)/pytest tests/property -n 2 --dist load

mutants: $(VENV)/.installed-dev ## mutation tests of clearing, repricing and credits
	FBACAP_PROOF_FACTOR=0.1 $(BIN)/mutmut run --max-children 1
	$(BIN)/python -m benchmarks.mutation_score

lint: $(VENV)/.installed-dev ## style, types, layers, SQL, contracts' versions, installed versions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint dbt_project/models
	$(BIN)/python -m orchestration.contract_versions
	$(BIN)/pip --disable-pip-version-check check

ui: $(VENV)/.installed ## open the lineage UI on loopback, over FBACAP_DATA or else the demo
	FBACAP_DATA=$${FBACAP_DATA:-$(DEMO)} $(BIN)/fbacap ui

bench: $(VENV)/.installed-dev ## measure, as ratios in one run
	$(BIN)/python -m benchmarks --large

clean: ## remove the virtual environment, the demo and every cache
	rm -rf ./.venv ./data/demo ./dbt_project/target ./.pytest_cache ./.mypy_cache ./.ruff_cache ./.hypothesis ./mutants

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	$(BIN)/python -m orchestration.dbt_runner
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/python -m orchestration.dbt_runner
	touch $@ $(VENV)/.installed
