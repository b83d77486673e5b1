# Everything sets itself up: a virtual environment in .venv, made again when pyproject.toml changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint bench written clean

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "neat needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	@touch $(STAMP)

demo: $(STAMP)  ## the main job on real input: a daemon, a real training, what it made of it
	$(BIN)/neat demo

test: $(STAMP) lint  ## all checks
	$(BIN)/python -m pytest tests -n auto --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## long measurements and soaks
	$(BIN)/python -m pytest -o addopts= -q -m bench tests/bench -s

written:  ## the files of other libraries written anew, for the tests of what is read
	$(PYTHON) tests/written/everything.py .written

clean:
	rm -rf $(VENV) .venv-written .venv-peers .written
