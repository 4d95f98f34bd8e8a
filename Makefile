# What a developer of zkml runs. Go is needed for everything; Node.js only for the
# tests of the contracts, whose compiler and Foundry come as npm packages of pinned
# versions (package-lock.json).

GO ?= go
NPM ?= npm

.PHONY: build test tools demo

# The command, into bin/.
build:
	$(GO) build -o bin/ ./cmd/...

# Everything that must hold before a change lands.
test: tools
	@unformatted="$$(gofmt -l $$(git ls-files '*.go'))"; \
	  test -z "$$unformatted" || { echo "not formatted by gofmt:" $$unformatted; exit 1; }
	$(GO) vet ./...
	$(GO) test -timeout 40m ./...

# The Solidity compiler and Foundry, installed again when the lock file changes. This
# is npm install, not npm ci: ci refuses a lock file without Foundry's binaries for
# some other platform, which not every registry serves. What the lock file names is
# still checked by its hash, and --no-save leaves the file as it is.
tools: node_modules/.package-lock.json

node_modules/.package-lock.json: package.json package-lock.json
	@command -v node >/dev/null && command -v $(NPM) >/dev/null || \
	  { echo "Node.js 20 or later is missing: install it from https://nodejs.org, then run make tools"; exit 1; }
	$(NPM) install --no-save --no-audit --no-fund
	@touch $@

# A proof and its contract from a model that comes with the sources.
demo: tools
	$(GO) run ./cmd/zkml demo
