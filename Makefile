# Coursette's workshop. Each word sets up what it needs in .venv the first time.
#   make demo    explore a made-up course        make test    tests and lint, as CI runs them
#   make serve   serve moodle.db                 make lint    ruff and generated documentation
#   make bench   measure loading and answering   make docs    write the generated parts of README and SECURITY
#   make bench-server  measure answering and the page script only
#   make pictures  retake the README's pictures
#   make lock    renew the exact versions        make clean   remove what the others made (no data of yours)
# PYTHON=python3.12 names the Python to use, WORKERS=0 runs the tests in one process (else one for each core).

OLD_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c '$(OLD_ENOUGH)' 2>/dev/null && echo $$p && break; done)
endif
WORKERS = auto
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := install --quiet --require-hashes

.PHONY: all test pytest lint demo serve bench bench-server docs pictures lock clean python browser
all: test

# Both, even when the first fails.
test: .venv/test
	@$(MAKE) --no-print-directory --keep-going lint pytest

pytest: .venv/test browser
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cog --check README.md SECURITY.md

demo: .venv/run
	$(BIN)/coursette demo --moodle

serve: .venv/run
	$(BIN)/coursette serve

bench: .venv/test browser
	$(BIN)/python tests/bench.py
	$(BIN)/python tests/bench_pull.py
	$(BIN)/python tests/bench_feeds.py
	$(BIN)/python tests/bench_sentiment.py
	$(BIN)/python tests/bench_server.py
	$(BIN)/python tests/bench_questions.py
	$(BIN)/python tests/bench_script.py

bench-server: .venv/test browser
	$(BIN)/python tests/bench_server.py
	$(BIN)/python tests/bench_script.py

docs: .venv/test
	$(BIN)/cog -r README.md SECURITY.md

pictures: .venv/test browser
	$(BIN)/python -m tests.pictures

browser: .venv/test
	@$(BIN)/python tests/browser.py

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- Setting up ----

python:
	@$(or $(PYTHON),false) -c '$(OLD_ENOUGH)' 2>/dev/null || { \
		echo "Coursette needs Python 3.11 or newer: install it, or name yours as in 'make demo PYTHON=python3.12'." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make virtual environments: on Debian and Ubuntu run 'sudo apt install python3-venv', then try again." >&2; exit 1; }

.venv/run: requirements.lock requirements-build.lock pyproject.toml | python
	@echo "Setting up .venv (the first time takes a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) $(LOCKED) -r requirements.lock -r requirements-build.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test: .venv/run requirements-test.lock
	@$(PIP) $(LOCKED) -r requirements-test.lock
	@touch $@

# The newest versions that pyproject.toml allows, for every system, with their hashes.
COMPILE = build/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock'

lock: | python
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(COMPILE) pyproject.toml --extra test --group build --output-file requirements-test.lock
	$(COMPILE) pyproject.toml --constraint requirements-test.lock --output-file requirements.lock
	$(COMPILE) --group build --constraint requirements-test.lock --output-file requirements-build.lock
