# make scenarios   all set-up, then the headline scenarios of each system on real nodes; with SYSTEM=sfha all of that one
# make nightly     the same with every scenario, the long ones included
# make test        all set-up, then the harness's own tests, by two workers
# make check       style, types and layers
# make changelog   what the next version will say of itself; with VERSION=1.2.0 it goes into CHANGELOG.md
# make deb         dist/sfha_VERSION_all.deb and dist/mfs-autonomy_VERSION_all.deb, the packages of what ships
# Further options of pytest: make scenarios SYSTEM=sfha ARGS="-k leader --seed 7"

ARGS ?=
SYSTEM ?=
VERSION ?=
SYSTEMS = $(filter-out __pycache__,$(notdir $(patsubst %/,%,$(wildcard scenarios/*/))))

.PHONY: help setup known-system scenarios nightly test check changelog deb format lock clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

setup:
	@setup/install

scenarios: known-system setup
	@setup/as-root .venv/bin/pytest scenarios/$(SYSTEM) $(if $(SYSTEM),,-m headline) $(ARGS)

known-system: # before anything is set up: a slip of the pen should not cost minutes
	@[ -d "scenarios/$(SYSTEM)" ] || { echo "make: there is no system $(SYSTEM); SYSTEM is one of: $(SYSTEMS)" >&2; exit 2; }

nightly: setup
	@setup/as-root .venv/bin/pytest scenarios/ --nightly $(ARGS)

test: setup
	@setup/as-root .venv/bin/pytest tests/ -n 2 $(ARGS)

check:
	@setup/install packages environment
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@.venv/bin/towncrier build --draft --version next >/dev/null

changelog:
	@setup/install packages environment
	@.venv/bin/towncrier build $(if $(VERSION),--yes --version $(VERSION),--draft --version next)

deb:
	@setup/install packages environment
	@.venv/bin/python -m harness.packaging.debian sfha
	@.venv/bin/python -m harness.packaging.debian storage

format:
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lock:
	@setup/lock

clean:
	@setup/as-root rm -rf .venv .setup .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
