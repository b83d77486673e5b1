# Everything sets itself up: a virtual environment in .venv, made again when pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')

.PHONY: demo test lint bench written clean

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "neat needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	@touch $(STAMP)

demo: $(STAMP)  ## the main job on real input: a daemon, a real training, what it made of it
	$(BIN)/neat demo

# Thousands of tests with real processes share the machine, and some measure it. Many wait for these: one worker more than
# there are cores keeps all of them at work. A test that fails among the others is told, and run again alone: what is broken
# fails there too.
test: $(STAMP) lint  ## all checks
	@rm -f .pytest_cache/v/cache/lastfailed
	$(BIN)/python -m pytest tests -n $(WORKERS) --dist worksteal || \
	{ [ $$? = 1 ] && echo "once more, alone:" && $(BIN)/python -m pytest tests -v --last-failed --last-failed-no-failures none --maxfail 1; }

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## long measurements and soaks
	$(BIN)/python -m pytest -o addopts= -q -m slow tests --ignore=tests/bench
	$(BIN)/python -m pytest -o addopts= -q -m bench tests/bench -s

written:  ## the files of other libraries written anew, for the tests of what is read
	$(PYTHON) tests/written/everything.py .written

clean:
	rm -rf $(VENV) .venv-written .venv-peers .written
