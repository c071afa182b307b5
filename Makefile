# Everything a developer or a CI machine runs. It needs Python 3.11 or newer, make and a package index;
# `make test-real` also needs Debian 12 and root. Each target sets up what it needs; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Everything, or with LOCK=requirements-run.lock what a server needs.
LOCK ?= requirements.lock
UV := $(BIN)/uv
# Some tests wait for real processes: one process more than cores; WORKERS=0 runs them in this one.
WORKERS ?= 3
# tests/conftest.py says which tests share a process.
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

# Tests start the program some hundred times: without compiled files each start would compile all of it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install lock demo lint test test-real bench faults fuzz simulate clean

help:
	@echo 'make demo          phone and staff desk in the browser, no account needed (PORT=…, NO_BROWSER=1)'
	@echo 'make install       sets up .venv/ from requirements.lock; the program is .venv/bin/connector'
	@echo 'make test          the tests in one process: no server, no browser (ARGS="-k word" goes to pytest)'
	@echo 'make test-real     all tests, against real servers it installs and starts (Debian 12, root)'
	@echo 'make lint          ruff, mypy and the import rules'
	@echo 'make bench         the benchmarks, each as a ratio to a baseline measured in the same run (REAL=1: with a real'
	@echo '                   Redmine and PostgreSQL, QUICK=1: only whether they run, ARGS=soak: half an hour of load)'
	@echo 'make faults        the fault campaign (PEOPLE=2000 KILLS=300 SEED=1, REAL=1: a real Redmine, REAL=rt, helpdesk, roundup)'
	@echo 'make simulate      the whole product on virtual time (SEEDS=1..500, or one: its transcript; or the name of a plan)'
	@echo 'make fuzz          hostile input, another every time (MINUTES=10): webhook, files, trackers, settings, markup;'
	@echo '                   GUIDED=1: led by what it reaches (atheris, Linux)'
	@echo 'make lock          both lock files anew from pyproject.toml (UPGRADE=1: newer versions)'
	@echo 'make clean         stops the test servers, removes .venv/ and caches'

install: $(STAMP)

# pip, because every Python has it and it knows this machine's index and proxy; where the lock names uv, pip installs
# that first, and uv the rest in a tenth of the time, or pip after all. Both check every hash of the lock. The build
# backend comes from the lock too, where it is listed there.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
$(STAMP): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'connector needs Python 3.11 or newer, and "$(PYTHON)" is not. Install it, or name another one:' >&2; \
	  echo '  make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null 2>&1 || { \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo '"$(PYTHON)" cannot make virtual environments: its venv module is not installed.' >&2; \
	    echo 'On Debian and Ubuntu:  apt install python3-venv   (then the same make again)' >&2; exit 1; }; \
	  echo 'making .venv/' >&2; $(PYTHON) -m venv --clear .venv; }
	@echo 'installing what $(LOCK) names into .venv/ (up to a minute the first time)' >&2
	@awk '/^[^ ]/ {p = /^uv==/} p' $(LOCK) > .venv/uv.txt
	@{ [ -s .venv/uv.txt ] && $(PIP) --require-hashes -r .venv/uv.txt && \
	  index=$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)} && \
	  $(UV) pip install --quiet --system-certs --link-mode copy --python $(BIN)/python \
	    $${index:+--default-index "$$index"} --require-hashes -r $(LOCK); } || $(PIP) --require-hashes -r $(LOCK)
	@$(PIP) --no-deps $(if $(shell grep '^hatchling==' $(LOCK)),--no-build-isolation) --editable .
	@touch $@

# uv can resolve for every platform at once, pip cannot. No index address goes into the file; the certificates are
# the machine's own, as pip's are.
lock:
	@[ -x $(UV) ] || { [ -x $(BIN)/python ] || $(PYTHON) -m venv .venv; $(PIP) uv; }
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-header --system-certs \
	  $(if $(UPGRADE),--upgrade) --group dev pyproject.toml -o requirements.lock --quiet
	$(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-header --system-certs \
	  --constraint requirements.lock --group build pyproject.toml -o requirements-run.lock --quiet

demo: $(STAMP)
	@$(BIN)/connector demo $(if $(PORT),--port $(PORT)) $(if $(filter-out 0,$(NO_BROWSER)),--no-browser)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: $(STAMP)
	@$(PYTEST) -m 'not real and not browser and not process and not long' $(ARGS)

test-real: $(STAMP)
	@servers=$$(tests/servers/up) && eval "$$servers" && CONNECTOR_NO_SKIPS=1 $(PYTEST) $(ARGS)

# Each file in bench/ measures its own baseline; names that start with _ are helpers. ARGS names some of them.
bench: $(STAMP)
	@$(if $(REAL),servers=$$(tests/servers/up) && eval "$$servers" &&) $(BIN)/python -m bench \
	  $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) $(ARGS)

# REAL=1: a real Redmine instead of the stand-in; REAL=rt, REAL=roundup: those. ARGS="--postgres --replicas 2": PostgreSQL, restarted once.
faults: $(STAMP)
	@$(if $(REAL),servers=$$(tests/servers/up) && eval "$$servers" &&) $(BIN)/python -m tests.faults \
	  $(if $(PEOPLE),--people $(PEOPLE)) $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(REAL),--tracker $(if $(filter 1,$(REAL)),redmine,$(REAL))) $(ARGS)

# One seed is one history, to the byte: tests/sim. What is red there is replayed by its seed.
simulate: $(STAMP)
	@$(BIN)/python -m tests.sim.run $(or $(SEEDS),1..200) $(ARGS)

# The tests that make up their input, again and again with input of chance; what fails is printed so that it can be repeated.
FUZZED := tests/web/test_hostile_webhook.py tests/trackers/test_hostile_answers.py tests/trackers/open311/test_open311_hostile.py tests/toolkit/test_media_hostile.py \
  tests/config/test_any_files.py tests/whatsapp/test_payloads.py tests/whatsapp/test_markup.py tests/feeds/test_reading.py \
  tests/whatsapp/test_outgoing.py tests/whatsapp/test_limits.py tests/core/test_made_towns.py tests/core/test_walks.py \
  tests/core/test_emergency.py tests/storage/test_work.py tests/storage/test_buckets.py
fuzz: $(STAMP)
ifdef GUIDED
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/pip install --quiet 'atheris>=3,<4'
	@$(BIN)/python -m tests.guided --minutes $(or $(MINUTES),10) $(ARGS)
else
	@end=$$(( $$(date +%s) + 60 * $(or $(MINUTES),10) )); n=0; while [ $$(date +%s) -lt $$end ]; do n=$$((n + 1)); \
	  echo "== round $$n"; FUZZ=5 $(BIN)/pytest -n $(WORKERS) --dist loadscope -q -o timeout=0 --show-capture=no \
	  -m 'not real and not browser' $(FUZZED) $(ARGS) || exit 1; done
endif

clean:
	@tests/servers/down --purge
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
