# Roost's tasks. `make help` lists them; all of them make what they need first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

# What `make serve` serves, and where.
HOST     ?= 127.0.0.1
PORT     ?= 8778
DATABASE ?= sqlite:///$(CURDIR)/data/roost.db

# How many processes run the tests, and which tests.
JOBS  ?= auto
TESTS ?= tests

# The tests of `make coverage`, and what is among them and judges no code: the rules are data. The tests of `make check`.
DECIDING    := tests/model tests/ledger tests/service tests/access
ABOUT_RULES := tests/access/test_rules.py tests/access/test_rules_decide.py
JUDGED      := tests/tidy tests/docs
OTHERS      := $(filter-out $(DECIDING) $(JUDGED),$(patsubst %/,%,$(wildcard tests/[a-z]*/))) $(ABOUT_RULES)

# How many allocations `make adoption` puts into the database.
ALLOCATIONS ?= 100000

# What `make bench` measures on, for how long each (`make fuzz` too), at which share of the full size, and what (empty:
# everything).
DATABASES ?= sqlite
SECONDS   ?= 5
SIZE      ?= 1
SCENARIOS ?=

# Where its figures are kept, and a page and a chart are made from them: those of a whole run are in docs/.
FIGURES ?= $(if $(filter 1,$(SIZE)),docs,data)/speed.json

# How many requests `make soak` sends.
REQUESTS ?= 200000

# Whose functional tests `make clients` runs (empty: all), and whether each of them or only each so manieth.
SUITES ?=
EVERY  ?= 1

# Stamps: an install is repeated only when pyproject.toml has changed since.
SERVE_STAMP := $(VENV)/.installed-to-serve
WORK_STAMP  := $(VENV)/.installed-to-work

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install serve test assurance coverage mutants fuzz adoption cloud clients check format bench soak docs ci clean

help: ## List the tasks
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

install: $(WORK_STAMP) ## Make the virtual environment with all that work on Roost needs

serve: $(SERVE_STAMP) ## Serve over SQLite in data/ on 127.0.0.1:8778, without Keystone (HOST, PORT, DATABASE change it)
	@mkdir -p data
	$(BIN)/roost serve --host $(HOST) --port $(PORT) --database "$(DATABASE)" --auth noauth2

test: $(WORK_STAMP) ## Run the tests (TESTS=tests/ledger for a part, TESTS=others without those of check and coverage, JOBS=1)
	$(BIN)/python -m pytest -n $(JOBS) -rs $(if $(filter others,$(TESTS)),$(OTHERS),$(TESTS))

assurance: $(WORK_STAMP) ## Run the tests of the assurance case (docs/security.md), and tell by class of weakness
	$(BIN)/python -m pytest -n $(JOBS) -q --assurance tests

coverage: $(WORK_STAMP) ## Run the tests of what decides, and tell which of its lines and branches none reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -rs $(DECIDING) $(ABOUT_RULES:%=--ignore %)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

mutants: $(WORK_STAMP) ## Change the code of what decides in a thousand ways, and tell which no test notices (docs/explanation/mutants.md)
	$(PIP) install --editable '.[trials]'
	$(BIN)/mutmut run --max-children $(if $(filter auto,$(JOBS)),2,$(JOBS))
	$(BIN)/mutmut results

fuzz: $(WORK_STAMP) ## Let inputs grow towards what no parser has met, for SECONDS=300 each (PARSERS="query body")
	$(PIP) install --editable '.[trials]'
	for parser in $(or $(PARSERS),$$($(BIN)/python -m tests.hostile.fuzz)); do \
	  $(BIN)/python -m tests.hostile.fuzz $$parser $(SECONDS) || exit 1; done

adoption: $(WORK_STAMP) ## Take a database of Placement's over and give it back (ALLOCATIONS=100000), with times
	ROOST_ADOPTION_SIZE=$(ALLOCATIONS) $(BIN)/python -m pytest -s -rs tests/operator/test_adoption.py -k there_and_back

cloud: $(WORK_STAMP) ## Have Placement make 10,000 hosts and 200,000 allocations; adopt, serve, give back (DATABASES=mariadb)
	ROOST_CLOUD_HOSTS=10000 ROOST_CLOUD_ALLOCATIONS=200000 ROOST_CLOUD_DATABASE=$(firstword $(DATABASES)) \
	  $(BIN)/python -m pytest -s -rs tests/operator/test_whole_cloud.py

clients: $(WORK_STAMP) ## Run other projects' functional tests with the peer, and with Roost in its place (SUITES=osc-placement, EVERY=4)
	$(BIN)/python -m tests.clients.run --every $(EVERY) $(SUITES)
	nova=$(CURDIR)/.clients/nova/bin/python; [ ! -x "$$nova" ] || export ROOST_TEST_NOVA="$$nova"; \
	  $(BIN)/python -m pytest -q -rs tests/end_to_end/test_clients.py tests/end_to_end/test_openstacksdk.py

check: $(WORK_STAMP) ## Judge style, types, layers, house rules and documents, in seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -rs $(JUDGED)

format: $(WORK_STAMP) ## Format the code, and mend what can be mended by rule
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(WORK_STAMP) ## Measure Roost and the peer side by side (DATABASES="mariadb sqlite", SCENARIOS=search-flat, SIZE=0.1, SECONDS=5)
	$(BIN)/python -m bench --database $(DATABASES) --seconds $(SECONDS) --size $(SIZE) --json $(FIGURES) \
	  $(if $(SCENARIOS),--jobs $(SCENARIOS))
	$(BIN)/python -m bench.chart --json $(FIGURES) --to $(dir $(FIGURES))
	$(if $(filter docs/%,$(FIGURES)),$(BIN)/python -m docs.generate)

soak: $(WORK_STAMP) ## Send 200,000 mixed requests to a worker, which must hold no more at the end (DATABASES, REQUESTS)
	$(BIN)/python -m bench.soak --database $(DATABASES) --requests $(REQUESTS)

docs: $(WORK_STAMP) ## Write the generated pages of docs/ again, and build the site in build/site/
	$(BIN)/python -m docs.generate
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/site
	@echo "The site begins at build/site/index.html"

ci: ## Do what continuous integration does: check and test, on PostgreSQL and MariaDB too (root, Debian)
	.ci/run

clean: ## Remove what the other tasks made, except data/
	rm -rf $(VENV) .clients build dist mutants .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Roost needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made. On Debian: apt-get install python3-venv" >&2; exit 1; }

$(SERVE_STAMP): pyproject.toml | $(BIN)/pip
	@echo "Installing Roost into $(VENV) (a minute the first time)"
	@$(PIP) install --editable .
	@touch $@

$(WORK_STAMP): pyproject.toml | $(BIN)/pip
	@echo "Installing Roost with its tests and checks into $(VENV) (a minute or two the first time)"
	@$(PIP) install --editable '.[test,check,docs]'
	@touch $@ $(SERVE_STAMP)
