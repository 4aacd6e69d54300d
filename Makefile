# Allibe. `make help` explains every target.

PORT ?= 8080
DATA ?= .data
ROOM ?= 1
WHO ?= alice

# Options for pytest or the benchmark: `make test ARGS='tests/unit -k resume'`,
# `make bench ARGS='--scenario latency'`, `make cluster ARGS='--nodes 3'`.
ARGS ?=

BIN := .venv/bin

# An environment may keep Python from writing what it has compiled. Tests start it hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

# Three processes for two cores: most tests wait for servers. tests/conftest.py has the order.
MANY := -n 3 --dist loadfile --no-loadscope-reorder
STOMP_TESTS := tests/unit/gateway/stomp

.DEFAULT_GOAL := help
.PHONY: help run cluster page screenshots chat setup setup-dev test chaos coverage lint format bench docs sbom audit lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: setup ## Chat at once: everything in one process on 127.0.0.1 (PORT=8080 DATA=.data)
	@scripts/web.sh run
	@ALLIBE_LOG_FORMAT=console ALLIBE_LOG_LEVEL=warning \
		$(BIN)/allibe serve --demo --port '$(PORT)' --data '$(DATA)'

cluster: setup ## The same over many processes: gateways, workers, RabbitMQ, PostgreSQL … (ARGS='--nodes 3')
	@scripts/web.sh run
	@scripts/servers.sh
	@$(BIN)/python -m deploy.cluster --port '$(PORT)' --data '$(DATA)' $(ARGS)

page: ## Build the chat page from web/ (needs Node 20.19 or later); `make run` does so by itself
	@scripts/web.sh page

screenshots: setup-dev ## Take the pictures of the page again (docs/images)
	@scripts/web.sh page
	@scripts/chromium.sh
	@scripts/fonts.sh
	@$(BIN)/python -m scripts.screenshots

chat: setup ## Chat in the terminal with what `make run` started (WHO=alice ROOM=1 PORT=8080)
	@$(BIN)/allibe chat --room '$(ROOM)' --user '$(WHO)' --url 'http://127.0.0.1:$(PORT)'

setup:
	@scripts/setup.sh run

setup-dev:
	@scripts/setup.sh dev

test: setup-dev ## Run all tests; installs what they need first (ARGS= runs a part, see above)
	@scripts/npm.sh tests/e2e/node
	@scripts/npm.sh tests/unit/deployment/crds --ignore-scripts
	@scripts/web.sh page
	@scripts/chromium.sh
	@scripts/servers.sh
ifeq ($(ARGS),)
	@scripts/web.sh packages
	@cd web && npm test --silent
	@$(BIN)/python -m pytest -q --no-header $(STOMP_TESTS) --cov --cov-report=
	@report=$$($(BIN)/python -m coverage report --include='*/allibe_gateway/stomp/*' --fail-under=100) || \
		{ echo "$$report"; echo 'The STOMP package must be fully covered by its own tests' >&2; exit 1; }
	@$(BIN)/python -m pytest $(MANY) --ignore=$(STOMP_TESTS)
else
	@$(BIN)/python -m pytest $(ARGS)
endif

chaos: setup-dev ## Break everything, and run all that takes long: half an hour (ALLIBE_CHAOS_SEED= ALLIBE_CHAOS_ROUNDS= ARGS=)
	@scripts/servers.sh
	@$(BIN)/python -m pytest tests/chaos -m '' -s $(ARGS)
ifeq ($(ARGS),)
	@$(BIN)/python -m pytest tests/e2e tests/integration tests/fuzz tests/unit/deployment -m long
endif

coverage: setup-dev ## Run the tests of `make test` once more, and show what they do not cover
	@$(BIN)/python -m pytest $(MANY) --cov --cov-report=
	@$(BIN)/python -m coverage report

lint: setup-dev ## Check style, types, import rules and licences, of Python and of web/
	@$(BIN)/ruff format --check --quiet . || { echo 'Not formatted: make format' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/python -m scripts.licences
	@scripts/web.sh packages
	@cd web && npm run --silent lint

format: setup-dev ## Format all Python and TypeScript
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .
	@scripts/web.sh packages
	@cd web && npm run --silent format

bench: setup-dev ## Measure against targets and peers, record docs/benchmarks.md (needs gcc, Node; ARGS=…)
	@scripts/servers.sh
	@$(BIN)/python -m bench $(ARGS)

docs: setup-dev ## Write what is generated: OpenAPI, AsyncAPI, tables, the client's close codes
	@$(BIN)/python -m allibe_rooms_api.openapi > docs/openapi.json
	@$(BIN)/python -m allibe_gateway.asyncapi > docs/asyncapi.json
	@$(BIN)/python -m scripts.docs

sbom: setup ## List what is shipped, as CycloneDX: dist/allibe.cdx.json
	@scripts/web.sh page
	@mkdir -p dist
	@$(BIN)/python -m scripts.sbom > dist/allibe.cdx.json

audit: setup ## Ask PyPI and npm for known vulnerabilities of what the locks pin; fails when they cannot be asked
	@scripts/audit.sh

lock: ## Resolve the dependencies anew into requirements.lock and scripts/audit.lock
	@scripts/setup.sh dev
	@$(BIN)/python -m venv --clear .cache/uv && .cache/uv/bin/python -m pip install --quiet uv
	@PATH="$$PWD/.cache/uv/bin:$$PATH" $(BIN)/python scripts/lock.py

clean: ## Remove what was installed and built; .data stays
	@rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		.coverage* dist bench/bin bench/peers/socketio/node_modules tests/e2e/node/node_modules \
		tests/unit/deployment/crds/node_modules rooms-api/allibe_rooms_api/page \
		web/node_modules web/*/node_modules web/*/dist web/*/*.tsbuildinfo
