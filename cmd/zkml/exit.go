package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	service "github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// The exit codes. Scripts rely on them.
const (
	exitOK       = 0
	exitInternal = 1  // a fault of ours, of the file system, or a failed check
	exitUsage    = 2  // a flag or an argument is wrong or missing, or a file isn't there
	exitRejected = 10 // the proof must not be relied on
	exitMismatch = 11 // a file isn't what it should be, or of another model
	exitModel    = 12 // the ONNX model can't be compiled, or misses its target with --strict
	exitSRS      = 13 // the structured reference string is missing, wrong or unsafe
	exitInput    = 14 // the model's input can't be used: malformed, wrong shape, out of range
	exitAudit    = 15 // the audit found something
)

// usageError is a command line that can't be right.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(err error) error { return &usageError{err} }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// hintedError is an error whose remedy only the command knows.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// is reports whether the error is, or wraps, one of type E.
func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// classify returns the exit code of an error and what to do about it.
func classify(err error) (code int, hint string) {
	code = exitCode(err)
	hint = hintFor(err)
	var hinted *hintedError
	if errors.As(err, &hinted) {
		hint = hinted.hint
	}
	return code, hint
}

func exitCode(err error) int {
	var ended *jobError
	var problem *service.Problem
	switch {
	case errors.As(err, &ended):
		return ended.exit()
	case errors.As(err, &problem) && problem.Status < 500:
		return exitUsage
	case is[*usageError](err), is[*onnx.DimError](err), is[*zkml.HeadError](err), is[*quantize.AnswerError](err), is[*circuit.VisibilityError](err), is[*circuit.WidthsError](err),
		errors.Is(err, prover.ErrUnknownTensor), errors.Is(err, solidity.ErrUnboundWeights), errors.Is(err, solidity.ErrWeightsDigest),
		is[*solidity.TemplateError](err), errors.Is(err, client.ErrAddress), errors.Is(err, client.ErrKey), errors.Is(err, client.ErrABI):
		return exitUsage
	case is[*survivorsError](err):
		return exitAudit
	case errors.Is(err, prover.ErrSRS):
		return exitSRS
	case errors.Is(err, prover.ErrMismatch), is[*quantize.FitError](err):
		return exitMismatch
	case errors.Is(err, prover.ErrRejected):
		return exitRejected
	case is[*onnx.FormatError](err), is[*onnx.OpsetError](err), is[*onnx.LimitError](err), is[*onnx.UnsupportedError](err),
		is[*quantize.UnsupportedError](err), is[*quantize.InvalidError](err), is[*zkml.AccuracyError](err), errors.Is(err, circuit.ErrTooLarge):
		return exitModel
	case is[*quantize.RangeError](err), is[*inputfile.Error](err), is[*zkml.DatasetError](err), is[*graph.InputError](err), errors.Is(err, graph.ErrNotFinite):
		return exitInput
	case errors.Is(err, fs.ErrNotExist):
		return exitUsage
	}
	return exitInternal
}

// hintFor returns what to do about the errors that have one remedy.
func hintFor(err error) string {
	var format *onnx.FormatError
	var dims *onnx.DimError
	var tool *evm.ToolError
	switch {
	case errors.As(err, &format):
		return format.Hint
	case errors.As(err, &dims):
		return fmt.Sprintf("give each a size, for example --dim %s=1", dims.Dims[0].Name)
	case errors.As(err, &tool):
		return tool.Hint
	case is[*service.Problem](err):
		return "zkml job --help says how the service and its api key are given"
	case is[*onnx.UnsupportedError](err):
		return "zkml version --json lists the operators that can be compiled"
	case is[*quantize.RangeError](err):
		return "compile with samples that cover such inputs, or give --clamp to take the nearest value"
	case errors.Is(err, graph.ErrNotFinite):
		return "the model overflows or divides by zero on this input: give samples that it was made for"
	case is[*zkml.AccuracyError](err):
		return "set a target that the model can reach, for example --target error=0.05, or leave out --strict"
	case errors.Is(err, srs.ErrDevelopment):
		return "give --insecure-dev-srs to go on, for development only: anyone can forge proofs for this key"
	case errors.Is(err, srs.ErrMissing):
		return "import a ceremony's file with zkml srs import FILE.ptau, or give --insecure-dev-srs, for development only"
	case errors.Is(err, prover.ErrUnknownTensor):
		return "zkml inspect lists what the model shows"
	case errors.Is(err, solidity.ErrUnboundWeights):
		return "give --unbound-weights to go on, or compile the model with hashed weights"
	case errors.Is(err, solidity.ErrWeightsDigest):
		return "give --weights-digest with what zkml commit prints for weights, or leave it out for a model without hashed weights"
	}
	return chainHint(err)
}

// withHint adds a remedy to an error about a file that isn't there.
func withHint(err error, hint string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &hintedError{err, hint}
	}
	return err
}
