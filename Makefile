# Each target does its own set-up from python3 (3.11 or newer), make and PyPI.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
SDK_READY := .venv-sdk/.ready

.PHONY: demo test test-sdk check bench clean

demo: $(READY)
	$(PY) -m demo $(if $(KEEP),--keep)

test: $(READY)
	$(PY) -m pytest

test-sdk: $(READY) $(SDK_READY)
	$(PY) -m pytest tests_sdk

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(READY)
	$(PY) -m benchmarks

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

clean:
	rm -rf $(VENV) .venv-sdk demo-output
