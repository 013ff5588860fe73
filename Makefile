# Everything lives in .venv; `make demo` and `make test` set it up on a machine with nothing but Python and pip.
# PYTHON=python3.12 picks the Python. On Linux, PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS pointing at a CPU-only
# build of the pinned torch saves several gigabytes of CUDA libraries.
.SUFFIXES:
.PHONY: help install demo test lint types accept bench quality docs readme clean

VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/installed
PYTEST_ARGS = -n auto
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PYTHONUTF8 = 1

help:
	@echo 'make install   set up .venv: this package, its microcontroller tools and its development tools'
	@echo 'make demo      a spiking network for an STM32F405, from the built-in digits to verified firmware'
	@echo 'make test      lint, format, types and tests'
	@echo 'make lint      ruff alone'
	@echo 'make types     mypy alone'
	@echo 'make accept    the long acceptance runs, on full test sets'
	@echo 'make bench     the benchmarks, quick settings'
	@echo 'make quality   compare what ways to search choose, into docs/search-quality.md; CIFAR10=FOLDER adds its table'
	@echo 'make docs      write docs/reference from the code'
	@echo 'make readme    run what README.md shows and put its output there, with the results of make accept'
	@echo 'make clean     remove .venv and build'

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt .ci/environment
	@PYTHON="$(PYTHON)" sh .ci/environment $(VENV)
	@echo 'installing; the first time this takes some minutes' >&2
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[mcu,events,nir,ray,evolution,tensorboard,flash,dev]'
	@touch $(STAMP)

demo: $(STAMP)
	rm -rf build/demo
	$(BIN)/spikenas-deploy deploy --profile stm32f405 --time-budget 60s --out build/demo

test: lint types
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

accept: $(STAMP)
	$(BIN)/python -m pytest -m accept $(PYTEST_ARGS)

bench: $(STAMP)
	@set -e; for file in benchmarks/[a-z]*.py; do \
	  [ -e "$$file" ] || { echo 'no benchmarks yet'; break; }; \
	  echo "$$file"; $(BIN)/python "$$file" --quick; \
	done

quality: $(STAMP)
	$(BIN)/python docs/quality.py $(if $(CIFAR10),--cifar10 "$(CIFAR10)")

docs: $(STAMP)
	$(BIN)/python docs/reference.py

readme: $(STAMP)
	$(BIN)/python docs/capture.py

clean:
	rm -rf $(VENV) build
