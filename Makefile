# Two commands: `make demo` and `make test`. Both make .venv and install into it what constraints.txt pins; modules are
# compiled when they are first imported (--no-compile), which saves a minute.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check fix clean
demo: $(VENV)/.installed
	$(BIN)/ecosim models fetch
	$(BIN)/ecosim demo

test: $(VENV)/.installed-dev check
	$(BIN)/ecosim models fetch
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist worksteal --durations=25 -m 'not model and not alone'
	$(BIN)/pytest --durations=15 -m 'model or alone'       # one process: a language model, or Ray, takes every core

check: $(VENV)/.installed-dev        # lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), f"ecosim needs Python 3.11 or later, this is {sys.version}; set PYTHON=python3.11"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) dist build
