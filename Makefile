# The few commands that everybody needs.
.PHONY: run test fast lint messages requirements audit forged kills load soak benchmark configurations claims

run:            ## open the app
	streamlit run app.py

test:           ## everything, as CI does
	python -m pytest

fast:           ## what takes seconds
	python -m pytest -m "not slow" --ignore tests/e2e

lint:           ## formatter, linter, types, who may import whom
	ruff format . && ruff check --fix . && mypy && lint-imports

messages:       ## the catalogue's template: every sentence that a translator needs (pip install babel)
	pybabel extract -k _ -k N_ -k UserError -k _n:1,2 -o assets/locale/playground.pot playground ui pages

# The local version of a CPU wheel (2.13.0+cpu) is on no registry that a reader's pip asks, so it is cut off.
COMPILE = pip-compile --quiet --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options
requirements:   ## the two pinned files, from the list in pyproject.toml
	$(COMPILE) --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra dev --output-file requirements-dev.txt pyproject.toml
	sed -i 's/+cpu$$//' requirements.txt requirements-dev.txt

audit:          ## known holes of the pinned packages (pip install pip-audit)
	python -m benchmarks.audit

forged:         ## 10,000 forged messages to every page, over the server's own protocol
	FORGED=10000 python -m pytest -n 0 tests/e2e/test_adversary.py -k forged

kills:          ## 500 kills of workers and servers, 500 of clients, at random moments: nothing beyond the last snapshot is lost
	KILLS=500 python -m pytest -n 0 tests/playground/jobs/test_kills.py
	KILLS=500 python -m pytest -n 0 tests/e2e/test_adversary.py -k killed

load:           ## thirty visitors for five minutes, then thirty arrivals; writes benchmarks/results/load.json
	python -m benchmarks.load

soak:           ## the same visitors for an hour after a quarter of one: does memory grow? MINUTES=30 for a shorter one
	python -m benchmarks.load --soak --minutes $(or $(MINUTES),75)

benchmark:      ## writes benchmarks/results/*.json, which the README quotes
	python -m benchmarks.attention
	python -m benchmarks.training
	python -m benchmarks.lens
	python -m benchmarks.evaluate
	python -m benchmarks.scaling
	python -m benchmarks.notebook

claims:         ## derive every figure of README and docs again (docs/claims.toml); --quick leaves the benchmarks out
	python -m benchmarks.claims

configurations: ## every configuration of transformers against the model; writes docs/configurations.md
	python -m benchmarks.configurations
