# make demo: install and train the first network; make test: the whole suite; make check: lint, types
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check format docs clean

demo: $(VENV)/.installed
	rm -rf demo
	$(BIN)/saccade train --out demo/run
	$(BIN)/saccade evaluate demo/run
	$(BIN)/python examples/write_digit.py demo/run demo/digit.png
	$(BIN)/saccade predict demo/run demo/digit.png
	@echo "The report is demo/run/report.html"

test: $(VENV)/.testing
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.testing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

format: $(VENV)/.testing
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(VENV)/.installed
	sed -i '/^## /,$$d' docs/settings.md
	$(BIN)/python -c 'from saccade.api import settings; print(settings().to_markdown(), end="")' >> docs/settings.md

clean:
	rm -rf $(VENV) demo runs

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(VENV)/.testing: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --group test --group check
	touch $@
