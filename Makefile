# The whole project in two commands: `make up`, then `make demo`. `make test` and `make bench` for those who work on it.
PY := .venv/bin/python
STACK := $(PY) -m dev.stack
LOCK := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
        --python-version 3.11
# Lambda finds these by its layers; everything started from here finds them the same way.
export PYTHONPATH := $(CURDIR):$(CURDIR)/layers/core/python:$(CURDIR)/layers/web/python

.PHONY: chaos histories mutants help env tools up down clean status demo test lint format types bench lock routes messages web build
.DEFAULT_GOAL := help

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

env:  ## the project's environment, from the lock
	@dev/bootstrap.sh env

tools: env  ## the local stack's and the AWS SAM command line's environments
	@dev/bootstrap.sh stack
	@dev/bootstrap.sh sam
	@dev/bootstrap.sh web

up: tools  ## the local stack: deploy, seed, print a winning link
	@$(STACK) up

down: env  ## stop it, data kept
	@$(STACK) down

clean: env  ## stop it and forget its data
	@$(STACK) clean

status: env  ## what of it runs
	@$(STACK) status

demo: tools  ## 300 scans by 60 people, end to end, with its sums checked
	@$(PY) -m cli.main demo

test: tools  ## everything: format, lint, types, and all tests on a stack of their own
	@dev/bootstrap.sh browser
	@$(MAKE) --no-print-directory web
	@$(MAKE) --no-print-directory lint types
	@$(PY) -m dev.run_tests

lint: env
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .

types: env
	@.venv/bin/mypy

format: env  ## put everything into the house style
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

histories: env  ## N seeded histories of the money services under faults (10000); SEED=n replays one and prints it
	@$(PY) -m tests.histories.runner --count $(or $(N),10000) $(if $(SEED),--seed $(SEED))

mutants: env  ## plausible bugs, the first history that catches each, and what it says
	@$(PY) -m tests.histories.mutants

chaos: tools web  ## kills, repeats, a sick rail and refusing tables under load, then the audit (SECONDS=240); SEED=n for its ills
	@$(PY) -m tests.chaos.runner --seconds $(or $(SECONDS),240) $(if $(SEED),--seed $(SEED))

bench: tools web  ## every figure, one JSON object a line; ONLY=name for one
	@$(PY) -m bench $(ONLY)

web: env  ## the pages' assets and catalogues
	@dev/bootstrap.sh web
	@$(PY) -m dev.build_web

messages: env  ## collect the texts to translate
	@$(PY) -m dev.messages

routes: env  ## the console's API document from its routes
	@$(PY) -m dev.stack.console_routes

build: tools web  ## what would go to AWS, for python3.13 on arm64
	@PATH="$(CURDIR)/.venv/bin:$$PATH" SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam build --parallel

lock: env  ## compile every lock anew from pyproject.toml and the .in files
	@$(LOCK) --extra cli --extra test pyproject.toml --output-file requirements/dev.txt
	@$(LOCK) requirements/stack.in --output-file requirements/stack.txt
	@$(LOCK) requirements/sam.in --output-file requirements/sam.txt
	@$(LOCK) --no-deps --constraint requirements/dev.txt layers/deps_scan/requirements.in --output-file layers/deps_scan/requirements.txt
	@$(LOCK) --no-deps --constraint requirements/dev.txt layers/deps_back/requirements.in --output-file layers/deps_back/requirements.txt
	@$(LOCK) --no-deps --constraint requirements/dev.txt layers/deps_console/requirements.in --output-file layers/deps_console/requirements.txt
	@$(LOCK) --no-deps --constraint requirements/dev.txt layers/deps_intake/requirements.in --output-file layers/deps_intake/requirements.txt
