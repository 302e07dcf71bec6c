# make demo   a chip, headless: server, notebook, LibreLane, GDS      make lab    the same in JupyterLab, to click
# make test   all tests                                             make lint   formatters, types, linters
# Each sets up what it needs from nothing; a second run starts in seconds.

VENV   := .venv
PYTHON := $(VENV)/bin/python
READY  := $(VENV)/.ready
BUNDLE := a6hub_jupyter/static/main.js
LAB    := $(VENV)/share/jupyter/labextensions
JS     := js/package.json js/package-lock.json js/build.mjs $(shell find js/src -type f -not -name '*.test.ts')

.PHONY: demo lab test lint format js bench clean

demo: $(READY) $(BUNDLE)
	$(PYTHON) scripts/demo.py

lab: $(READY) $(BUNDLE)
	$(VENV)/bin/jupyter lab --ServerApp.root_dir=notebooks --LabApp.default_url=/lab/tree/01-first-chip.ipynb

test: $(READY) $(BUNDLE) js/node_modules/.ready
	$(PYTHON) hatch_build.py test
	$(PYTHON) -m pytest -n 2 --dist loadfile --reruns 1 --rerun-show-tracebacks tests/unit tests/server tests/flow
	$(PYTHON) -m pytest -n 2 --dist loadfile --reruns 2 --rerun-show-tracebacks tests/browser  # a process of its own: playwright and pytest-jupyter both want the event loop

lint: $(READY) js/node_modules/.ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(PYTHON) hatch_build.py run lint
	$(PYTHON) hatch_build.py run check

format: $(READY) js/node_modules/.ready
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .
	$(PYTHON) hatch_build.py run format

js: $(BUNDLE)

bench: $(READY) $(BUNDLE)
	for script in benchmarks/*.py; do $(PYTHON) $$script || exit 1; done

clean:
	rm -rf $(VENV) js/node_modules a6hub_jupyter/static .demo .test-output

$(READY): pyproject.toml scripts/setup.sh hatch_build.py
	PYTHON3="$(PYTHON3)" sh scripts/setup.sh $(VENV)
	touch $@

js/node_modules/.ready: js/package.json js/package-lock.json | $(READY)
	$(PYTHON) hatch_build.py ci --no-audit --no-fund
	touch $@

$(BUNDLE): $(JS) | js/node_modules/.ready
	$(PYTHON) hatch_build.py run build
	@# An editable install has a copy of our extension of JupyterLab.
	rm -rf $(LAB)/a6hub-jupyter && mkdir -p $(LAB) && cp -R a6hub_jupyter/static/labextension $(LAB)/a6hub-jupyter
