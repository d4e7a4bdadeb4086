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
DOCS := .venv-docs

help: ## Show the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1|\2/' | column -t -s '|'

install: $(INSTALLED) ## Make .venv and install the package with its development tools

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	source $(BIN)/activate && $(INSTALL) --editable '.[dev]'
	@touch $@

demo: $(INSTALLED) ## Run the main job on simulated micrographs: labels, network, picks, scores
	@rm -rf outputs/demo
	$(BIN)/python -m deepcryopicker.train +experiment=demo hydra.run.dir=outputs/demo

# One process per core with one thread each, because tests start many small programs whose threads
# would compete. The tests of a file share their trained networks.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

test: $(INSTALLED) ## Run the tests for every change
	$(PYTEST) -m "not thorough and not slow and not slurm and not faults"

test-slow: $(INSTALLED) ## Run the tests left out of `make test`: whole trainings, every combination
	$(PYTEST) -m "thorough and not slow and not slurm and not faults"

test-all: $(INSTALLED) ## Run every test except those on SLURM, including minutes of real micrographs
	$(PYTEST) -m "not slurm and not faults"

test-faults: $(INSTALLED) ## Run every test of broken and hostile files, 10,000 damaged headers included
	$(BIN)/python -m pytest tests/faults

test-slurm: $(INSTALLED) ## Run the tests of SLURM, on a cluster that they start; Debian 12, as root
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

bench-start: $(INSTALLED) ## Measure modules and start-up time of `pick`, beside `import torch` [CHECKOUT=DIR]
	$(BIN)/python tests/bench/start.py $(CHECKOUT) .

bench-picking: $(INSTALLED) ## Measure seconds a micrograph and memory of `pick`, by pixel type [CHECKOUT=DIR]
	$(BIN)/python tests/bench/throughput.py $(CHECKOUT)

bench-gpu: $(INSTALLED) ## Pick and train on the CPU and on a CUDA GPU: picks a second, memory, equal picks [WEIGHTS=RUN]
	$(BIN)/python tests/bench/gpu.py $(if $(WEIGHTS),--weights $(WEIGHTS))

tree: $(INSTALLED) ## Print the package, a line for each module
	@$(BIN)/python tests/tree.py

bench-500: $(INSTALLED) ## Pick 500 micrographs: throughput and memory from the first to the last [WEIGHTS=RUN]
	$(BIN)/python tests/bench/endurance.py $(if $(WEIGHTS),--weights $(WEIGHTS))

bench-2000: $(INSTALLED) ## Pick 2,000 small micrographs, killed once: memory, outputs, repeated work [WEIGHTS=RUN]
	$(BIN)/python tests/bench/overnight.py $(if $(WEIGHTS),--weights $(WEIGHTS))

numbers: $(INSTALLED) ## Run the experiments behind the tables of the documents, hours, and write the tables [TABLES_ONLY=1]
	OMP_NUM_THREADS=1 $(BIN)/python docs/numbers/write_tables.py $(if $(TABLES_ONLY),--tables-only)

docs: $(DOCS)/.installed ## Build the documents as a site, outputs/site/index.html
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet

$(DOCS)/.installed:
	$(PYTHON) -m venv $(DOCS)
	source $(DOCS)/bin/activate && $(INSTALL) mkdocs-material
	@touch $@

benchmark-rivals: relion topaz ## Install the external pickers of the benchmark experiments

relion: ## Install RELION 3.1 for the tests and `make bench`; Debian 12, as root
	@command -v relion_autopick >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends relion >/dev/null; }

chromium: ## Install Chromium for the tests of the report; Debian 12, as root
	@command -v chromium >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

topaz: $(TOPAZ)/.installed ## Install Topaz for `make bench`, in its own environment

# It uses torch, torchvision and other packages of .venv, so that both have the same build and
# gigabytes are not downloaded twice.
$(TOPAZ)/.installed: $(INSTALLED)
	$(BIN)/python -m venv --clear $(TOPAZ)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(TOPAZ)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	$(TOPAZ)/bin/python -m pip install --quiet topaz-em==0.3.20
	@touch $@

clean: ## Remove environments and caches, but not the results in outputs/
	rm -rf $(VENV) $(TOPAZ) build dist .pytest_cache .mypy_cache .ruff_cache

.PHONY: help install docs numbers demo test test-slow test-all test-faults test-slurm lint bench bench-start bench-picking bench-gpu tree bench-500 bench-2000 benchmark-rivals relion chromium topaz clean
