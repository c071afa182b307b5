# Everything a developer or a CI machine runs. It needs Python 3.11 or newer, make and a package index;
# `make test-real` also needs Debian 12 and root. Each target sets up what it needs; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
UV := .venv/tools/bin/uv

.DEFAULT_GOAL := help
.PHONY: help install lock demo lint test test-real bench faults clean

help:
	@echo 'make demo          phone and staff desk in the browser, no account needed (PORT=…, NO_BROWSER=1)'
	@echo 'make install       sets up .venv/ from requirements.lock; the program is .venv/bin/connector'
	@echo 'make test          the tests that need no server and no browser (ARGS="-k word" goes to pytest)'
	@echo 'make test-real     all tests, against real servers it installs and starts (Debian 12, root)'
	@echo 'make lint          ruff, mypy and the import rules'
	@echo 'make bench         the benchmarks, each as a ratio to a baseline measured in the same run'
	@echo 'make faults        the fault campaign'
	@echo 'make lock          requirements.lock anew from pyproject.toml (UPGRADE=1: newer versions)'
	@echo 'make clean         stops the test servers, removes .venv/ and caches'

install: $(STAMP)

# pip, because every Python has it and it knows this machine's index and proxy; it checks every hash of the lock.
# The build backend comes from the lock too, where it is listed there.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'connector needs Python 3.11 or newer, and "$(PYTHON)" is not. Install it, or name another one:' >&2; \
	  echo '  make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null 2>&1 || { \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo '"$(PYTHON)" cannot make virtual environments: its venv module is not installed.' >&2; \
	    echo 'On Debian and Ubuntu:  apt install python3-venv   (then the same make again)' >&2; exit 1; }; \
	  echo 'making .venv/' >&2; $(PYTHON) -m venv --clear .venv; }
	@echo 'installing what requirements.lock names into .venv/ (about half a minute the first time)' >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  $(if $(shell grep '^hatchling==' requirements.lock),--no-build-isolation) --editable .
	@touch $@

# uv can resolve for every platform at once, pip cannot. No index address goes into the file; the certificates are
# the machine's own, as pip's are.
lock:
	@[ -x $(UV) ] || { $(PYTHON) -m venv .venv/tools && .venv/tools/bin/pip install --quiet uv; }
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-header --system-certs \
	  $(if $(UPGRADE),--upgrade) --group dev pyproject.toml -o requirements.lock --quiet

demo: $(STAMP)
	@$(BIN)/connector demo $(if $(PORT),--port $(PORT)) $(if $(filter-out 0,$(NO_BROWSER)),--no-browser)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: $(STAMP)
	@$(BIN)/pytest -m 'not real and not browser' $(ARGS)

test-real: $(STAMP)
	@servers=$$(tests/servers/up) && eval "$$servers" && CONNECTOR_NO_SKIPS=1 $(BIN)/pytest $(ARGS)

# Each file in bench/ is a program that measures its own baseline; names that start with _ are helpers.
bench: $(STAMP)
	@found=; status=0; for file in bench/[!_]*.py; do \
	  [ -f "$$file" ] || continue; found=1; echo "== $$file"; $(BIN)/python "$$file" || status=1; \
	done; [ -n "$$found" ] || echo 'bench/ holds no benchmark yet.'; exit $$status

faults: $(STAMP)
	@if ls tests/faults/test_*.py >/dev/null 2>&1; then \
	  servers=$$(tests/servers/up) && eval "$$servers" && CONNECTOR_NO_SKIPS=1 $(BIN)/pytest tests/faults $(ARGS); \
	else echo 'tests/faults/ holds no fault campaign yet.'; fi

clean:
	@tests/servers/down --purge
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
