# Every target does its own set-up: `make demo` and `make test` work in a fresh clone with Python 3.11+, git and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
RUN := $(VENV)/bin/
STAMP := $(VENV)/.installed
PORT ?= 4200
export PREFECT_HOME ?= $(CURDIR)/.prefect
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false

.PHONY: help setup browser test demo ui clean

help: ## Say what each target does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 14

setup: $(STAMP) ## Make .venv with the pinned dependencies; a second call is instant

$(STAMP): pyproject.toml constraints.txt .ci/setup
	@.ci/setup $(VENV)
	@touch $@

browser: ## Install a Chromium for the report's browser tests where there is none
	@.ci/browser

test: setup browser ## Lint, types, import contracts, tests
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports
	$(RUN)pytest

demo: setup ## Validate a healthy and a collapsed candidate as recorded flows (under a minute)
	@$(RUN)python -m foretrain_flows.demo

ui: setup ## Look at the recorded runs in a browser (Prefect's server on the same database, loopback only)
	@echo "The recorded runs: http://127.0.0.1:$(PORT)/runs   (Ctrl-C ends it)"
	@PREFECT_UI_API_URL=http://127.0.0.1:$(PORT)/api $(RUN)prefect server start --host 127.0.0.1 --port $(PORT)

clean: ## Remove what the other targets made
	rm -rf $(VENV) .prefect foretrain-out dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
