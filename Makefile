# Needs Python >= 3.11 with venv, and GNU make; uses uv instead of pip when it is there.
# `make plan` and `make test` are all that a fresh clone needs.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# NIST's test cases of certificate chains, and published scheduling instances: both are in archives of
# packages that are installed without them.
ARCHIVES := .venv/archives/.fetched
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with=tests/nbval.cfg --nbval-cell-timeout=120
# Where a figure appears in a notebook, whatever backend the caller has set.
INLINE := module://matplotlib_inline.backend_inline
# One file stays on one worker: a notebook is one kernel, and its cells run in order.
WORKERS := -n 2 --dist loadfile

export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help plan test lab app docs lint bench mutants oldest release clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

plan: $(STAMP) ## plan the example fleet data/harbour into out/
	$(BIN)/planner plan data/harbour --out out
	@echo
	@echo "The plan is in out/. Look first at:"
	@echo "  out/schedule.csv          what to do on which day, with the exact commands"
	@echo "  out/deadlines.png         when trusted certificates must be distributed"
	@echo "  out/modes.png             sessions by session security over time"
	@echo "  out/findings.csv          what is wrong or risky, and how to cure it"

test: $(STAMP) $(ARCHIVES) ## run every test: unit tests, doctests, a browser where there is one, notebooks
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  command -v google-chrome >/dev/null || \
	  echo "make: no Chromium is installed, so the tests in a browser are skipped"
	MPLBACKEND=Agg $(BIN)/pytest $(WORKERS) --doctest-modules planner tests
	MPLBACKEND=$(INLINE) $(BIN)/pytest $(WORKERS) $(NBVAL) notebooks

lab: $(STAMP) ## open the notebooks in JupyterLab
	$(BIN)/planner lab

app: $(STAMP) ## open the planning board of the example fleet as a web page
	$(BIN)/planner app data/harbour

docs: $(STAMP) ## build the documentation into out/docs; open out/docs/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet -f docs/mkdocs.yml

lint: $(STAMP) ## style, types, the rooms' contract, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: $(STAMP) ## measure the engine and slips against pandas and Polars, and an import of 100,000 nodes
	$(BIN)/python -m tests.benchmarks.simulate
	$(BIN)/python -m tests.benchmarks.importing
	$(BIN)/python -m tests.benchmarks.slips

mutants: $(STAMP) ## change the core in many places, and see which changes no test notices
	$(BIN)/python -m pip install --quiet -r tests/mutation/requirements.txt
	$(BIN)/python -m tests.mutation --jobs 2

oldest: ## run the tests with the oldest dependencies that are allowed
	PYTHON=$(PYTHON) .ci/oldest

release: $(STAMP) ## build sdist, wheel, and the list of what the wheel installs (SBOM) into dist/
	.ci/release

clean: ## remove results and caches (`rm -rf .venv` starts over)
	rm -rf dist out .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find planner tests notebooks -name __pycache__ -prune -exec rm -rf {} +
	find notebooks -name .ipynb_checkpoints -prune -exec rm -rf {} +

# The environment, made again whenever the pins change. Two commands: pip refuses to mix hashes with
# an editable install. The second needs no network, as the lock also pins the build backend.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is missing or older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	@if uv --version >/dev/null 2>&1; then \
	  set -ex; \
	  test -x $(BIN)/python || uv venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv; \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock; \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  set -ex; \
	  test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null || $(PYTHON) -m venv .venv; \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock; \
	  $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

$(ARCHIVES): $(STAMP) tests/pkits/archive.txt tests/psplib/archive.txt
	@$(BIN)/python -m pip download --quiet --require-hashes --no-deps --no-build-isolation \
	  --no-binary :all: --dest .venv/archives -r tests/pkits/archive.txt -r tests/psplib/archive.txt
	@touch $@
