# make run     everything from nothing to a page at http://127.0.0.1:8000/ (HOST and PORT from the environment)
# make dev     the same from the sources: an edit is a reload
# make test    every check there is, the one CI runs
# make bench   the README's tables: start, decoding, fidelity, the page (on a quiet machine)
# make lock    after an edit of pyproject.toml or package.json, with uv (https://docs.astral.sh/uv/)
# Nothing is installed or built twice: locks and contents are compared by hash.

PYTHON := .venv/bin/python
RUN    := $(PYTHON) -m
# A test that hangs fails, and says where. What is run beside processes and browsers may stumble over a busy machine.
PYTEST := $(RUN) pytest -q -n 2 --timeout 600
BUSY   := --dist loadfile --reruns 2
export PYTHONDONTWRITEBYTECODE := 1
ifndef BESIDE
.NOTPARALLEL:
endif
.PHONY: help run dev test bench lock setup setup-test build \
        lint types layers js-types js-tests unit unit-in-pyodide tools server browser

help:
	@sed -n 's/^# //p' Makefile

run: build
	@exec $(PYTHON) static_server.py

dev: setup
	@$(RUN) tools.build --dev
	@exec $(PYTHON) static_server.py --dev

build: setup
	@$(RUN) tools.build

setup:
	@python3 tools/setup.py run

setup-test:
	@python3 tools/setup.py test

test: setup-test lint types layers js-types js-tests unit
	@$(MAKE) -j 2 -O BESIDE=yes --no-print-directory unit-in-pyodide tools # each of them has one processor to do
	@$(MAKE) --no-print-directory server browser
	@echo "All checks passed."

bench: setup-test build
	$(RUN) bench.boot
	$(RUN) bench.decode
	$(RUN) bench.fidelity
	$(RUN) bench.agreement
	$(RUN) bench.streaming
	$(RUN) bench.chats
	$(RUN) bench.vitals
	$(RUN) bench.relay
	$(RUN) bench.classify

lock:
	uv pip compile pyproject.toml --group run --universal --generate-hashes --no-header -q -o requirements/run.txt
	uv pip compile pyproject.toml --group run --group dev --universal --generate-hashes --no-header -q -o requirements/dev.txt
	npm install --package-lock-only --ignore-scripts

lint:
	$(RUN) ruff check
	$(RUN) ruff format --check

types:
	$(RUN) mypy

layers:
	.venv/bin/lint-imports

js-types:
	node_modules/.bin/tsc -p tsconfig.json

js-tests:
	EMBEDDED_MODEL="$$($(RUN) tools.embedded_model)" node --test $$(find tests/js -name '*.test.js' | sort)

unit: # pyapp outside browser/, every branch
	$(PYTEST) tests/unit --cov

unit-in-pyodide: # the same tests in the interpreter the page has
	$(RUN) tools.pyodide_tests -q tests/unit

tools: # the build, and what it makes
	$(PYTEST) $(BUSY) tests/tools

server:
	$(PYTEST) $(BUSY) tests/server

browser: # the built site in Chromium, with the real model
	$(RUN) tools.build
	$(PYTEST) $(BUSY) tests/browser
