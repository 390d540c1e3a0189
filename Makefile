# Everything runs from .venv, which each target makes by itself.
PYTHON ?= python3
BIN := .venv/bin
# Three workers, each with a server of its own: a good part of the time is waiting.
WORKERS := -n 3 --dist worksteal

.PHONY: demo test check proof soak format rule-pages clean

demo: .venv/ready
	@$(BIN)/gonogo demo

test: .venv/ready
	@$(BIN)/pytest $(WORKERS)

check: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# On every PostgreSQL found here; others with `make proof PG_BIN="FOLDER …"`, parts with ONLY="CREATE INDEX".
proof: .venv/ready
	@$(BIN)/python tests/prove.py $(foreach folder,$(PG_BIN),--pg-bin $(folder)) $(if $(ONLY),--only "$(ONLY)")

soak: .venv/ready
	@$(BIN)/pytest $(WORKERS) --soak

format: .venv/ready
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

rule-pages: .venv/ready
	@$(BIN)/python -m migrations.rule_pages docs/rules

clean:
	rm -rf .venv

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "gonogo needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
