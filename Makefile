# Sets up .venv from the lock, runs the demo and the tests. `make demo PYTHON=python3.12` takes another Python.
PYTHON ?= python3
CORES ?= 2
PROCESSES = $(shell expr $(CORES) + 1)
KILLS ?= 20
FAULTS ?= 1000
COVERAGE ?= --cov --cov-report=
BIN := .venv/bin

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test coverage test-faults faults lint lock wheel image pin schema docs pictures clean

# While it runs: a live view on a terminal, lines elsewhere. At the end: how long it took, with and without setting up.
demo:
	@begun=$$(date +%s) && $(MAKE) --no-print-directory .venv/installed && ready=$$(date +%s) && \
	snakemake --cores $(CORES) --logger dilt && \
	python -m dilt.claims --brief results/digits/tables && ended=$$(date +%s) && \
	echo "The demo took $$((ended - begun)) s, of which setting up took $$((ready - begun)) s."

# Files of tests side by side, one file's tests in turn: they share what they set up. One file more than cores, as tests
# wait for what they have started. Then the files of which tests miss most lines, and the whole; `coverage report
# --show-missing` names the lines. `make test COVERAGE=` does without, in less time.
test: lint
	pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder $(COVERAGE)
	@[ -z "$(COVERAGE)" ] || coverage report | sed -n '1,12p;/^TOTAL/p'

# The same with the lines that jobs reach which tests start, in copies of the project too. It takes longer.
coverage: export COVERAGE_PATCH := subprocess
coverage: test

# Kills, full disks, damaged files: what `make test` does once, many times.
test-faults: .venv/installed
	pytest tests/workflow/test_kills.py tests/stage/test_disk.py tests/stage/test_damage.py --kills $(KILLS) -rP

# All kinds of faults, in the background of other work: a row each in faults.csv. Stop it whenever you like, and go on with
# the same command. Its table: python -m tests.faults table faults.csv
faults: .venv/installed
	nice -n 10 python -m tests.faults $(FAULTS) --ledger faults.csv

lint: .venv/installed
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint
	mypy

# Bytecode is compiled here once: where Python may not write it, each job would compile torch anew, seconds each.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	pip install --quiet uv
	uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	uv pip install --quiet --no-deps --editable .
	touch $@

# Versions and hashes for Python 3.11 to 3.13; no index address gets into the file.
lock: .venv/installed
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra test --generate-hashes \
		--no-header --no-annotate pyproject.toml -o requirements.lock

# The library, the command and the workflow as one file, to be installed elsewhere: dist/dilt-*.whl.
wheel: .venv/installed
	python -m hatchling build --target wheel

# dilt:latest, for Docker (docs/container.md).
image:
	docker build --tag dilt .

# The builds that conda chooses for environment.yml here. Snakemake takes the file before environment.yml.
pin:
	conda env create --yes --prefix .pin --file environment.yml
	conda list --explicit --md5 --prefix .pin > environment.linux-64.pin.txt

# What editors and people read of the configuration, from dilt/settings and config.yaml.
schema: .venv/installed
	python -m dilt.config --schema > workflow/schemas/config.schema.json
	python docs/configuration_page.py

# Of README and documentation, from the demo's results; needs Chromium and Graphviz.
pictures: .venv/installed
	python docs/pictures.py

# The pages of docs/ as a site, for browsers and without a network: docs/_build/index.html. Any warning is an error.
docs: .venv/installed
	sphinx-build -W --keep-going -n -q docs docs/_build

clean:
	rm -rf results/digits results/smallest .snakemake docs/_build docs/jupyter_execute
