# From a fresh clone: each target sets up what it needs first. A second run starts at once.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NOTEBOOKS := $(wildcard course/source/*/*.ipynb)

# Where another environment is active, IPython takes its packages for those of the kernel, and warns.
unexport VIRTUAL_ENV

.PHONY: setup grade test test-unit test-notebooks test-notebooks-lax notebooks lab print lint format bench clean

setup: $(READY)   ## only set up

grade: $(READY)   ## set up, grade the sample class on the embedded cluster, print the table
	@$(BIN)/autograder grade || [ $$? -eq 1 ]   # 1: a submission cannot be read, as of one student of this class

test: test-unit test-notebooks   ## set up, run all tests, notebooks included

test-unit: $(READY)
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest -n auto --dist worksteal -q

test-notebooks: $(READY)
	@echo "Running the notebooks, comparing every output ..."
	@$(BIN)/python -m pytest -o addopts= -p autograder._fastimport -n auto --dist loadscope --nbval --nbval-current-env \
		--nbval-cell-timeout 120 -q $(NOTEBOOKS)

# CLUSTER=local, kind[:NAME] or kubeconfig:PATH[#CONTEXT] runs them there
test-notebooks-lax: $(READY)   ## every cell has to run; outputs that must hold on every cluster are compared
	@echo "Running the notebooks ..."
	@$(if $(CLUSTER),AUTOGRADER_CLUSTER='$(CLUSTER)') $(BIN)/python -m pytest -o addopts= -p autograder._fastimport -p autograder.notebook.elsewhere \
		--nbval-lax --nbval-sanitize-with tools/nbval_sanitize.cfg --nbval-current-env --nbval-cell-timeout 420 -q $(NOTEBOOKS)

notebooks: $(READY)   ## make the notebooks from the texts of the lessons, and run them
	@$(BIN)/python tools/build_notebooks.py

lab: $(READY)   ## JupyterLab on the course
	@cd course && ../$(BIN)/jupyter lab

print: $(READY)   ## the lessons as HTML pages and, where there is a Chromium, Chrome or Edge, as PDF
	@$(BIN)/python tools/print_lessons.py

lint: $(READY)   ## formatting, types, import layers
	@echo "Checking format, style, types and layers ..."
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY)   ## format the code in place
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY)   ## the benchmarks, as ratios measured side by side in one run
	@$(BIN)/python -m benchmarks

clean:   ## remove what setting up and grading made
	rm -rf $(VENV) build *.egg-info course/autograded course/feedback course/release course/gradebook.db* course/verdicts.db*

$(READY): pyproject.toml constraints.txt
	@echo "Setting up the virtual environment in $(VENV) (about a minute, once) ..."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is " + sys.version.split()[0]) if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 has no venv module: install it (Debian: apt install python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[dev]'
	@touch $@
	@echo "Ready."
