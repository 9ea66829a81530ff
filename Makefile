# Each target does its own set-up from python3 (3.11 or newer), make and PyPI.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
SDK_READY := .venv-sdk/.ready
BENCH_READY := .venv-bench/.ready
WORKERS ?= logical
ROOMS := $(PY) -m pytest --ignore tests/airflow_live --numprocesses $(WORKERS) --dist worksteal
DOCS := NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict
BUILD_READY := .venv-build/.ready

.PHONY: demo browser test test-rooms test-live quick fuzz test-sdk test-distributed test-airflow check docs bench build \
	constraints clean

demo: $(READY)
	$(PY) -m demo $(if $(KEEP),--keep)

# Both at once, because the real Airflow mostly waits; what it says comes in one piece when it is done
test: $(READY) browser
	@$(MAKE) --no-print-directory --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) test-rooms test-live

test-rooms: $(READY) browser
	+$(ROOMS) --cov --cov-report=

test-live: $(READY)
	$(PY) -m pytest -p no:cacheprovider tests/airflow_live

# The tests of pages open them in a browser of the system
browser:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
		|| { echo "Installing chromium (once) ..."; apt-get update --quiet --quiet \
			&& apt-get install --yes --no-install-recommends chromium > /dev/null; } \
		|| { echo "Tests of pages need chromium or google-chrome: install one, or run make browser as root"; exit 1; }

# The inner loop: the laws and the rooms without Airflow, fewer examples of hypothesis, without what is slow
quick: $(READY)
	HYPOTHESIS_EXAMPLES=10 $(ROOMS) -m 'not slow' tests/cli tests/client tests/emulator tests/formats tests/pipelines tests/test_laws.py

# Damaged and hostile input for every parser, FUZZ_EXAMPLES of it each, and a table of what they did
fuzz: FUZZ_EXAMPLES ?= 20000
fuzz: $(READY)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PY) -m pytest -p no:cacheprovider tests/fuzz

test-sdk: $(READY) $(SDK_READY)
	$(PY) -m pytest tests_sdk

# CeleryExecutor, two workers with nothing shared on disk, PostgreSQL and Redis (installed by apt-get if missing)
test-distributed: .venv-distributed/.ready
	@command -v redis-server > /dev/null && ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 \
		|| { apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends redis-server postgresql; }
	.venv-distributed/bin/python -m pytest -p no:cacheprovider tests_distributed

.venv-distributed/.ready: tests_distributed/constraints.txt pyproject.toml
	@echo "Installing Airflow with Celery into .venv-distributed (once) ..."
	$(PYTHON) -m venv .venv-distributed
	.venv-distributed/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint tests_distributed/constraints.txt --editable '.[emulator,redis]' \
		'apache-airflow[celery,postgres]' 'apache-airflow-providers-amazon[s3fs]' 'moto[server]' psutil pycocotools \
		pytest scikit-image
	@touch $@

# VERSION=3.1.8 or another release that has a constraints-airflow-VERSION.txt
test-airflow:
	@test -f constraints-airflow-$(VERSION).txt || { echo "VERSION is one of $(patsubst constraints-airflow-%.txt,%,$(wildcard constraints-airflow-*.txt))"; exit 1; }
	$(PYTHON) -m venv .venv-airflow-$(VERSION)
	.venv-airflow-$(VERSION)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints-airflow-$(VERSION).txt --editable '.[dev]'
	.venv-airflow-$(VERSION)/bin/python -m pytest -W default tests/hooks tests/triggers tests/sensors tests/operators \
		tests/notifications tests/plugins tests/task_groups tests/utils tests/test_laws.py \
		tests/airflow_live

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/pyright
	$(PY) -m tests.type_completeness
	$(VENV)/bin/codespell
	$(DOCS) --quiet

# The site, to read in site/index.html
docs: $(READY)
	$(DOCS)

# BENCH=--quick for 500 tasks, BENCH=--full for 118,000, BENCH=--write-docs to renew docs/benchmarks.md
bench: $(READY) $(BENCH_READY)
	$(PY) -m benchmarks $(BENCH)

# dist/: the wheel and the sdist, checked, and the wheel installed and imported in empty environments
build: $(READY) $(BUILD_READY)
	rm -rf dist
	.venv-build/bin/python -m build
	.venv-build/bin/python -m twine check --strict dist/*
	$(PY) -m pytest tests_build

# VERSION=3.1.8 for the file of an older Airflow, WITHIN=FILE-OR-URL to stay within other constraints, OUT=FILE. uv, because
# pip needs hours to find versions of three clouds that agree
constraints: OUT ?= constraints$(if $(VERSION),-airflow-$(VERSION)).txt
constraints:
	$(PYTHON) -m venv --clear .venv-constraints
	.venv-constraints/bin/python -m pip install --quiet --disable-pip-version-check uv
	echo 'apache-airflow$(if $(VERSION),==$(VERSION))' | .venv-constraints/bin/uv pip compile --quiet --no-header \
		--no-annotate --python .venv-constraints/bin/python $(if $(WITHIN),--constraint $(WITHIN)) --all-extras \
		--output-file .venv-constraints/found.txt pyproject.toml -
	cp .venv-constraints/found.txt $(OUT)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	@echo "Installing into $(VENV) (once, about two minutes) ..."
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(SDK_READY): tests_sdk/requirements.txt
	@echo "Installing the official SDK into .venv-sdk (once) ..."
	$(PYTHON) -m venv .venv-sdk
	.venv-sdk/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests_sdk/requirements.txt
	@touch $@

$(BENCH_READY): benchmarks/peers.txt
	@echo "Installing the peers to measure against into .venv-bench (once) ..."
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/peers.txt
	@touch $@

$(BUILD_READY): tests_build/requirements.txt
	@echo "Installing the build tools into .venv-build (once) ..."
	$(PYTHON) -m venv .venv-build
	.venv-build/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests_build/requirements.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-sdk .venv-bench .venv-build .venv-constraints .venv-airflow-* demo-output dist site
