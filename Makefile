# Everything runs from .venv, which each target makes by itself.
PYTHON ?= python3
BIN := .venv/bin
# Two workers, each with a server of its own.
TWO := -n 2 --dist worksteal

.PHONY: demo test check soak format clean

demo: .venv/ready
	@$(BIN)/gonogo demo

test: .venv/ready
	@$(BIN)/pytest $(TWO)

check: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

soak: .venv/ready
	@$(BIN)/pytest $(TWO) --soak

format: .venv/ready
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf .venv

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "gonogo needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
