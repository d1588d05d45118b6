# `make demo` shows what Sublight does; `make test` proves it; `make check` is the fast part of that.
# All three make `.venv` themselves. Needs python3 (3.11 or newer) and make; everything else comes from the package registries.

PYTHON ?= python3
BIN := .venv/bin
# The tests start hundreds of Python processes, which would all compile the same files anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo check test lint types unit bench clean help

help:
	@echo "make setup   make .venv with everything that development and the demo need"
	@echo "make demo    server, 4-node cluster, a sweep of the newsgroups example, its best run, the portal's address"
	@echo "make check   lint, types, unit tests (under two minutes)"
	@echo "make test    everything, with real processes and a real browser"
	@echo "make bench   the benchmarks; prints ratios against the bare script in the same run"

setup: .venv/.complete

.venv/.complete: requirements.lock pyproject.toml azureml_facade/pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Sublight needs Python 3.11 or newer; $(PYTHON) is {v.major}.{v.minor}. Try: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e . -e azureml_facade
	@touch $@

demo: setup
	$(BIN)/python examples/newsgroups/demo.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

unit: setup
	$(BIN)/pytest -q -n auto -m "not slow" tests/unit tests/contracts tests/server tests/facade

check: lint types unit

test: setup
	$(PYTHON) tests/system_packages.py
	$(MAKE) --no-print-directory check
	$(BIN)/pytest -q -n auto -m slow tests/unit tests/server tests/facade
	$(BIN)/pytest -q tests/process tests/browser

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
