# The README's two commands are `make run` and `make test`.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Written, whatever the environment says: else each of the hundreds of programs that the tests start would compile all modules anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: bench debian faults run security test test-all package lint types layers check clean

run: $(VENV)/installed
	$(BIN)/coal-mine

# Four at once on two processors: many of the tests wait for clocks and leases.
test: $(VENV)/installed-dev
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

# Processes, disks and networks fail under load; needs root. FAULTS_SECONDS is the least time of each scenario, FAULTS_SEED repeats one.
faults: $(VENV)/installed-dev
	FAULTS_SECONDS=$${FAULTS_SECONDS:-90} $(BIN)/pytest -s -v tests/faults tests/node/test_output.py

# Thousands of hostile clients, and arbitrary requests for minutes. SECURITY_SECONDS is the time of each part, SECURITY_SEED repeats a fuzz run.
security: $(VENV)/installed-dev
	SECURITY_SECONDS=$${SECURITY_SECONDS:-60} $(BIN)/pytest -s -v tests/security tests/api/test_fuzz.py tests/api/test_job_openapi.py

# Everything that must hold before a release.
test-all: test package debian

# What needs Debian packages, which only root can install.
debian: $(VENV)/installed-dev
	scripts/install_debian_packages.sh faketime
	$(BIN)/pytest tests/debian

# Build, install and start what users would install.
package: $(VENV)/installed-dev
	$(BIN)/python scripts/check_package.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

layers: $(VENV)/installed-dev
	$(BIN)/lint-imports

check: lint types layers test

# What this machine does, in ten minutes; for more: .venv/bin/python -m benchmarks --help
bench: $(VENV)/installed-dev
	@command -v wrk >/dev/null || (apt-get update && apt-get install -y wrk)
	$(BIN)/python -m benchmarks all

$(VENV)/installed: setup.py requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -e .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
