.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# In the environment; for the exact versions of the published numbers:
# make install INSTALL="pip install --constraint constraints.txt"
INSTALL ?= pip install --quiet
TOPAZ := .venv-topaz

help: ## Show the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1|\2/' | column -t -s '|'

install: $(INSTALLED) ## Make .venv and install the package with its development tools

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	source $(BIN)/activate && $(INSTALL) --editable '.[dev]'
	@touch $@

demo: $(INSTALLED) ## Run the main job on generated micrographs: labels, network, picks, scores
	@rm -rf outputs/demo
	$(BIN)/python -m deepcryopicker.train +experiment=demo hydra.run.dir=outputs/demo

# One process for every core, each with one thread: tests start many small programs, and threads
# would wait for each other. The tests of a file share what they have trained.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

test: $(INSTALLED) ## Run the tests for every change: five minutes on two cores
	$(PYTEST) -m "not thorough and not slow and not slurm and not faults"

test-slow: $(INSTALLED) ## Run those that `make test` leaves out: whole trainings, every combination
	$(PYTEST) -m "thorough and not slow and not slurm and not faults"

test-all: $(INSTALLED) ## Run every test, but those on SLURM: also minutes of real micrographs
	$(PYTEST) -m "not slurm and not faults"

test-faults: $(INSTALLED) ## Run every test of broken and hostile files, 10,000 damaged headers included
	$(BIN)/python -m pytest tests/faults

test-slurm: $(INSTALLED) ## Run the tests on a SLURM that they start; Debian 12, as root
	@(command -v slurmctld && command -v munged) >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null; }
	$(BIN)/python -m pytest -m slurm tests/slurm

lint: $(INSTALLED) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED) ## Time the stages, the operators beside libraries, `pick` beside RELION and Topaz [WEIGHTS=RUN]
	OMP_NUM_THREADS=1 $(BIN)/python tests/bench/stages.py
	OMP_NUM_THREADS=1 $(BIN)/python tests/bench/operators.py
	$(BIN)/python tests/bench/rivals.py $(if $(WEIGHTS),--weights $(WEIGHTS))

bench-start: $(INSTALLED) ## What `pick` loads and how long it takes to start, beside `import torch` [CHECKOUT=DIR]
	$(BIN)/python tests/bench/start.py $(CHECKOUT) .

tree: $(INSTALLED) ## Print the package, a line for each module
	@$(BIN)/python tests/tree.py

bench-500: $(INSTALLED) ## Pick 500 micrographs: throughput and memory from the first to the last [WEIGHTS=RUN]
	$(BIN)/python tests/bench/endurance.py $(if $(WEIGHTS),--weights $(WEIGHTS))

bench-2000: $(INSTALLED) ## Pick 2,000 small micrographs, killed once: memory, outputs, work done twice [WEIGHTS=RUN]
	$(BIN)/python tests/bench/overnight.py $(if $(WEIGHTS),--weights $(WEIGHTS))

benchmark-rivals: relion topaz ## Install the programs that the benchmark experiments compare with

relion: ## Install RELION 3.1 for the tests and `make bench`; Debian 12, as root
	@command -v relion_autopick >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends relion >/dev/null; }

chromium: ## Install Chromium for the tests of the report; Debian 12, as root
	@command -v chromium >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

topaz: $(TOPAZ)/.installed ## Install Topaz for `make bench`, in an environment of its own

# It borrows torch, torchvision and the rest from .venv: the same build for both, and no second
# download of gigabytes.
$(TOPAZ)/.installed: $(INSTALLED)
	$(BIN)/python -m venv --clear $(TOPAZ)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(TOPAZ)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	$(TOPAZ)/bin/python -m pip install --quiet topaz-em==0.3.20
	@touch $@

clean: ## Remove what the targets made, but not the results in outputs/
	rm -rf $(VENV) $(TOPAZ) build dist .pytest_cache .mypy_cache .ruff_cache

.PHONY: help install demo test test-slow test-all test-faults test-slurm lint bench bench-start tree bench-500 bench-2000 benchmark-rivals relion chromium topaz clean
