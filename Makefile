# Each target does all the set-up it needs: Python 3.11 with pip, and make, are enough to start with.

VENV := .venv
BIN := $(VENV)/bin
PARTS := nginx squid haproxy redis-server iproute2=ip chromium chromium-driver=chromedriver \
	curl postgresql=psql prometheus prometheus=promtool
VERSIONS := 3.11 3.12 3.13 3.14
FLOOR := 90

export PATH := $(CURDIR)/.parts/bin:$(PATH):/usr/sbin:/sbin
export PIP_NO_INPUT := 1

.PHONY: demo web docs test test-slow lint check test-all mutants fuzz coverage package catalogues bench bench-quick ready bench-ready parts clean

demo: ## Watch 100,000 phones being uploaded to a sandbox
	@.ci/venv $(VENV) cli "$$(.ci/python)"
	@$(BIN)/python -m asyncsdk.cli demo

web: ## Open the page in your browser, with a sandbox behind it
	@.ci/venv $(VENV) all "$$(.ci/python)"
	@$(BIN)/python -m asyncsdk.cli web --sandbox

docs: ## Build the documentation, to site/
	@.ci/venv $(VENV)-docs docs "$$(.ci/python)"
	@$(VENV)-docs/bin/python -m docs

test: ready parts ## Run the tests
	@$(BIN)/python -m pytest -q -n 2

test-slow: parts ## Run all of them, those that take long included and each in full
	@.ci/parts openjdk-17-jre-headless=java
	@.ci/venv $(VENV)-engines engines "$$(.ci/python)"
	@ASYNCSDK_TESTS=whole $(VENV)-engines/bin/python -m pytest -q -n 2 -m "slow or not slow" -o timeout=1800

lint: ready ## Run the linters and the type checker
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m mypy

check: lint test ## Run the linters, the type checker and the tests

test-all: parts ## Run the tests on each supported Python that is found
	@for version in $(VERSIONS); do \
		python=$$(.ci/python $$version) || { echo "Python $$version is not here."; continue; }; \
		echo "Python $$version:"; \
		.ci/venv $(VENV)-$$version test "$$python" || exit 1; \
		$(VENV)-$$version/bin/python -m pytest -q -n 2 -p no:cacheprovider || exit 1; \
	done

mutants: ready parts ## Change the parts where money is lost, one small thing at a time: do tests fail?
	@$(BIN)/python -m tests.mutants

fuzz: ## Feed bytes that nobody wrote to all that reads files, ten minutes each
	@.ci/venv $(VENV)-fuzz fuzz "$$(.ci/python)"
	@for target in $$($(VENV)-fuzz/bin/python -c "from tests.fuzz.targets import TARGETS; print(*TARGETS)"); do \
		nice -n 19 $(VENV)-fuzz/bin/python -m tests.fuzz $$target --seconds 600 || exit 1; \
	done

coverage: parts ## Say how much of the package the tests run: more than the floor
	@.ci/venv $(VENV)-coverage coverage "$$(.ci/python)"
	@$(VENV)-coverage/bin/python -m pytest -q -n 2 --cov --cov-report= -o timeout=600 \
		--ignore=tests/unit/test_imports.py # what measures is imported, too
	@$(VENV)-coverage/bin/python -m coverage report --fail-under=$(FLOOR)

package: ## Build wheel and source distribution into dist/, and check them
	@.ci/package

catalogues: ready ## Take the texts of the page over into its catalogues, and compile them
	@$(BIN)/python -m tests.catalogues

bench: bench-ready parts ## Measure everything, to benchmarks/results.md
	@$(VENV)-bench/bin/python -m benchmarks

bench-quick: bench-ready parts ## The same in short, in less than two minutes
	@$(VENV)-bench/bin/python -m benchmarks --quick

ready:
	@.ci/venv $(VENV) test "$$(.ci/python)"

bench-ready:
	@.ci/venv $(VENV)-bench bench "$$(.ci/python)"

parts:
	@.ci/parts $(PARTS)

clean: ## Remove what the other targets made
	rm -rf $(VENV) $(VENV)-* .parts dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
