# The errands of the project. Each does its own set-up, in .venv and in the user's cache folder.
#
#   make demo    run a real guest program and say what it did
#   make test    all tests; what cannot be had on this machine is skipped by name and counted
#   make test-aarch64   all tests of an AArch64 host, under qemu-aarch64; `make test` has a sample of them
#   make exhaustive     the engines' tests on every host level and in all placements
#   make fuzz    system calls that make no sense, then random instruction blocks on both engines until they differ
#   make bench   how fast: kernels, real programs and start-up, beside qemu and over native
#   make soak    programs with threads, TIMES=200 each, until one hangs or errs; 5,000 children of a shell
#   make lint    ruff and mypy
#   make guests  what people run (Node, Java, Go, Postgres, Python with its tests, ...) under Xenos and qemu, and a table
#   make oracles fetch the compilers, oracles and guest programs that test and bench use (they call it themselves)
#   make clean   remove .venv and tool caches; the user's cache folder stays

PYTHON  ?= python3
ROUNDS  ?= 3
TIMES   ?= 200
VENV    := .venv
RUNS    := $(VENV)/.runs
TESTS   := $(VENV)/.tests
# Tests run in parallel: the reference engine is slow, and most tests are single processes.
WORKERS ?= auto

.PHONY: demo test test-aarch64 exhaustive fuzz bench soak lint guests oracles clean
.DELETE_ON_ERROR:

demo: $(RUNS)
	$(VENV)/bin/xenos run --stats examples/tour

test: $(TESTS) oracles
	$(VENV)/bin/python -m pytest -n $(WORKERS) $(PYTEST)

test-aarch64: $(TESTS) oracles
	XENOS_AARCH64=all $(VENV)/bin/python -m pytest tests/aarch64 $(PYTEST)

exhaustive: $(TESTS) oracles
	$(VENV)/bin/python -m pytest -n $(WORKERS) -m exhaustive tests/engines $(PYTEST)

fuzz: $(TESTS)
	$(VENV)/bin/python -m tests.calls_forever $(SEED) --runs 100
	$(VENV)/bin/python -m tests.lockstep_forever $(SEED)

bench: $(TESTS)
	@PYTHON=$(VENV)/bin/python scripts/prepare-tests bench
	$(VENV)/bin/python -m bench.kernels --rounds $(ROUNDS)
	$(VENV)/bin/python -m bench.programs --rounds $(ROUNDS)
	$(VENV)/bin/python -m bench.startup
	$(VENV)/bin/python -m bench.regions
	$(VENV)/bin/python -m bench.levels
	$(VENV)/bin/python -m bench.kernel_calls
	$(VENV)/bin/python -m bench.collection

soak: $(TESTS) oracles
	PYTHONPATH=tests:. $(VENV)/bin/python -m soak --runs $(TIMES) $(SOAK)

lint: $(TESTS)
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy

guests: $(TESTS)
	@PYTHON=$(VENV)/bin/python scripts/prepare-tests guests
	PYTHONPATH=tests:. $(VENV)/bin/python -m guests.matrix $(ERRANDS)

oracles: $(TESTS)
	@PYTHON=$(VENV)/bin/python scripts/prepare-tests
	@scripts/prepare-aarch64 $(VENV)/bin/python

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(RUNS): pyproject.toml scripts/make-venv
	scripts/make-venv $(PYTHON) $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(TESTS): $(RUNS)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
