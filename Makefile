# What a developer of zkml runs. Go is needed for everything; Node.js only for the
# tests of the contracts, whose compiler and Foundry come as npm packages of pinned
# versions (package-lock.json).

GO ?= go
NPM ?= npm
PYTHON ?= python3
# Where make bench-ezkl installs EZKL.
EZKL ?= bin/ezkl
# Where the Solidity compiler lies for programs that go run builds elsewhere.
export ZKML_SOLC ?= $(CURDIR)/node_modules/solc

.PHONY: build test bench bench-ezkl bench-report fuzz visibility evm contracts slither differential tools demo audit gpu-test gpu-full go requests chaos

# The command, into bin/.
build: go
	$(GO) build -o bin/ ./cmd/...

# Everything that must hold before a change lands. The files made of the models of
# testdata must be the same bytes where Go fuses multiplications with additions, and
# multi-exponentiations right where there are no vector instructions.
test: go tools
	@unformatted="$$(gofmt -l $$(find . -name '*.go' -not -path './node_modules/*'))"; \
	  test -z "$$unformatted" || { echo "not formatted by gofmt:" $$unformatted; exit 1; }
	$(GO) vet ./...
	$(GO) test -timeout 40m ./...
	$(GO) test -tags purego ./prover/msm
	@if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then \
	  echo 'GOAMD64=v3 $(GO) test -run TestGolden .'; GOAMD64=v3 $(GO) test -run TestGolden .; \
	else echo 'the golden digests under GOAMD64=v3 need a processor with AVX2: not run'; fi
	@$(MAKE) --no-print-directory gpu-test

# Our prover's times as ratios to gnark's own on the same circuits, beside their limits, with all
# figures in bench.json; and beside EZKL, where make bench-ezkl has installed it. Wants an idle
# machine, for a quarter of an hour without EZKL.
bench: go
	$(GO) run ./bench -limits -json bench.json $(if $(wildcard $(EZKL)/bin/python),-ezkl $(EZKL)/bin/python)

# Installs EZKL from PyPI and adds its figures to those of make bench. Needs Python.
bench-ezkl: go
	bench/ezkl.sh $(EZKL)
	$(GO) run ./bench -ezkl-only -ezkl $(EZKL)/bin/python -json bench.json

# Writes bench/results.json, the charts and the tables of bench/README.md from bench.json.
bench-report: go
	$(GO) run ./bench -report bench.json

# Feeds generated input to everything that reads a file, and generated programs to the
# interpreters: 50 minutes. make fuzz FUZZTIME=10s gives each target that time instead,
# make fuzz TARGET=FuzzLoad runs the targets whose name matches.
fuzz: go
	GO="$(GO)" FUZZTIME="$(FUZZTIME)" .ci/fuzz "$(TARGET)"

# Proves 1,000 random circuits of up to 2^12 rows, has gnark's verifier accept each proof
# and reject it with any one element changed, and 20 of them in gnark's Solidity contract.
# And cancels proofs in a domain of 2^18, each within a second. About ten minutes.
differential: go tools
	$(GO) test -timeout 60m -v -run 'TestRandomCircuits|TestCancelLarge' ./prover/plonk -full
	$(GO) test -timeout 60m -v -run TestGnarkContract ./verifier/solidity/evm -full

# All 27 ways to show and hide the input, output and weights of a network, and three of
# LeNet-5, each proven and verified in Go and in its contract, with a table of what they
# cost; and an accuracy over 64 samples. Some minutes.
visibility: go tools
	$(GO) test -timeout 60m -v -run 'TestVisibility|TestAccuracy' ./verifier/solidity/evm -full

# The reusable verifier's long tests: 300 proofs on which it agrees with gnark's
# contract and the Go verifier, all of their fields changed one by one; 100,000 mutated
# calls; gas. And LeNet-5 on two nodes, driven by the command, and the consumer templates
# built by forge, deployed and attacked on both. The last line sums it up.
# About fifteen minutes.
evm: go tools
	@mkdir -p bin
	$(GO) test -count=1 -timeout 60m -v -run TestScripts/lenet ./cmd/zkml -args -full
	$(GO) test -count=1 -timeout 60m -v -run TestTemplateScripts -parallel 2 ./cmd/zkml -args -full
	$(GO) test -count=1 -timeout 60m -v -run 'TestInference|TestLending|TestEligibility|TestTicTacToe|TestProjects' ./verifier/solidity/evm -args -full
	$(GO) test -count=1 -timeout 60m -v ./verifier/solidity/internal/reusable -args -full -summary $(CURDIR)/bin/evm.txt
	@cat bin/evm.txt

# What -tags icicle builds, through ICICLE's own Go wrappers, against a stand-in for CUDA and
# ICICLE that computes on the CPU: needs gcc, no card and no CUDA. Some of the calls fail in
# turn; in make gpu-full every one does, with the race detector: half an hour.
gpu-test: go
	@if command -v "$${CC:-gcc}" >/dev/null; then \
	  eval "$$(gpu/shim/build.sh)" && $(GO) vet -tags 'icicle shim' ./gpu/... ./cmd/zkml && \
	  $(GO) test -count=1 -tags 'icicle shim' ./gpu && $(GO) test -count=1 -tags 'icicle shim' -run TestCard ./cmd/zkml; \
	elif [ "$$CI" = true ]; then \
	  echo 'gcc is missing: the tests of package gpu need it for the stand-in for CUDA'; exit 1; \
	else echo 'the tests of package gpu need gcc for the stand-in for CUDA: not run'; fi

gpu-full: go
	@eval "$$(gpu/shim/build.sh)" && $(GO) test -race -count=1 -timeout 120m -v -tags 'icicle shim' ./gpu -full

# Compiles the reusable verifier into the files that the Go package embeds. The tests
# fail where these differ from the sources.
contracts: go tools
	$(GO) run ./verifier/solidity/internal/contracts

# Has slither look for mistakes in the reusable verifier and in exported projects of every
# kind; fails on a finding of high or medium severity that isn't explained where it is. Needs
# Python 3.10 or later. Some minutes.
slither: go tools bin/slither/requirements.txt
	$(GO) run ./verifier/solidity/internal/slither

bin/slither/requirements.txt: verifier/solidity/internal/slither/requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.10 or later is missing: install it from https://www.python.org"; exit 1; }
	$(PYTHON) -m venv --clear bin/slither
	bin/slither/bin/pip install --quiet --disable-pip-version-check --only-binary :all: -r $<
	@cp $< $@

# The Solidity compiler, its linter and Foundry, installed again when the lock file changes. This
# is npm install, not npm ci: ci refuses a lock file without Foundry's binaries for
# some other platform, which not every registry serves. What the lock file names is
# still checked by its hash, and --no-save leaves the file as it is.
tools: node_modules/.package-lock.json

node_modules/.package-lock.json: package.json package-lock.json
	@command -v node >/dev/null && command -v $(NPM) >/dev/null || \
	  { echo "Node.js 20 or later is missing: install it from https://nodejs.org, then run make tools"; exit 1; }
	$(NPM) install --no-save --no-audit --no-fund
	@touch $@

# Sends 30,000 generated requests, most of them bad, to the service's interface as openapi.json
# describes it: no server error, no undocumented answer, nothing of another tenant. Some minutes.
requests: go
	$(GO) test -count=1 -timeout 60m -v -run TestRequests ./service -args -requests 30000

# A proof of LeNet-5's answer on one digit, and the contract that accepts it.
demo: build tools
	bin/zkml demo

# Looks for values that circuits leave to the prover: in every gadget, every integer
# operator and every model of testdata, and whether it would find them, by deleting
# each kind of row. Then it tries to get false answers accepted, by the contracts too.
# The last line sums it up.
audit: go tools
	$(GO) run ./audit/internal/full

# The prover service under load, its programs killed, frozen and cut off from each other,
# full disks, wrong clocks, a soak and a restart, with the limits that it must keep. The last
# line sums it up. Some twelve minutes, on two idle cores.
chaos: go
	@mkdir -p bin
	$(GO) build -o bin/chaos ./service/internal/chaos/full
	@bin/chaos

go:
	@command -v $(GO) >/dev/null || \
	  { echo "Go 1.26 or later is missing: install it from https://go.dev/dl"; exit 1; }
