# The tasks of the book, each a thin line over the command line `feature-capacity`.
# `make` alone lists them. Only Python >= 3.11, make and git are needed.

PYTHON ?= python3
# Exact versions; `make CONSTRAINTS= book` takes the newest ones instead.
CONSTRAINTS ?= constraints.txt
PORT ?= 8000
JOBS ?= 2
ARGS ?=
# Options of benchmarks/panels.py, for example PANELS="--panels relu --grid 16".
PANELS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SCIENCE := theory geometry models solvers sweeps measure zoo
# Whole files side by side, because the tests of some share what is expensive.
XDIST = $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist loadfile --no-loadscope-reorder)

.DEFAULT_GOAL := help
.PHONY: help install book pdf test test-thorough pair lint serve bench gallery mutate clean test-fast

help: ## list these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make .venv with everything the book needs

book: $(INSTALLED) ## execute the pages that changed and build the book
	$(BIN)/feature-capacity book $(ARGS)

pdf: book ## print the whole book as one PDF (needs Chromium or Chrome)
	$(BIN)/feature-capacity pdf

test: $(INSTALLED) ## run the whole test suite (JOBS=1: one file at a time)
	$(BIN)/python -m pytest $(XDIST) $(ARGS)

test-fast: $(INSTALLED) ## the science alone, in under a minute
	$(BIN)/python -m pytest -m "not slow" --hypothesis-profile=fast $(XDIST) $(addprefix src/feature_capacity/,$(SCIENCE)) $(addprefix tests/,$(SCIENCE)) $(ARGS)

test-thorough: $(INSTALLED) ## the same, and stated runs, random settings, the PDF, large cases: half an hour more
	$(MAKE) test ARGS="--thorough $(ARGS)"

pair: $(INSTALLED) ## bring each notebook in step with its .py source
	$(BIN)/feature-capacity pair $(ARGS)

lint: $(INSTALLED) ## check style, formatting, types, layers and pairing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/feature-capacity pair --check

serve: $(INSTALLED) ## show the built book at http://127.0.0.1:8000/ (PORT=...)
	$(BIN)/feature-capacity serve --port $(PORT)

bench: $(INSTALLED) ## measure speed and memory against plain array operations and against training
	$(BIN)/python benchmarks/exact.py $(ARGS)
	$(BIN)/python benchmarks/measure.py
	$(BIN)/python benchmarks/panels.py --figure $(PANELS)

gallery: $(INSTALLED) ## bring the README's pictures and score in step with the built book
	$(BIN)/python tools/gallery.py $(ARGS)

mutate: $(INSTALLED) ## plant small wrong changes in the science, and see which tests and claims notice
	$(BIN)/python tools/mutate.py $(ARGS)

clean: ## delete what a build made; .venv stays
	rm -rf _build

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: there is no $(PYTHON); name a Python >= 3.11: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1); name a Python >= 3.11: make PYTHON=python3.11" >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "error: $(PYTHON) cannot make a virtual environment (on Debian: apt-get install python3-venv)" >&2; \
	  exit 1; }

# Installing again is needed only when what is asked for has changed.
$(INSTALLED): pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	@echo "installing into $(VENV): about 1.7 GB, a few minutes the first time"
	$(BIN)/python -m pip install --disable-pip-version-check $(addprefix -c ,$(CONSTRAINTS)) \
	  -e ".[book,test,dev]"
	@touch $@
