package work

import (
	"context"
	"errors"
	"syscall"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/seal"
)

// userError is a fault of the request.
type userError struct {
	code string
	err  error
}

func (e *userError) Error() string { return e.err.Error() }
func (e *userError) Unwrap() error { return e.err }

// is reports whether the error is, or wraps, one of type E.
func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// classify says whose fault an error is and whether trying again helps. The message has
// nothing of the request in it; the error's own text is kept sealed beside it.
func classify(err error) job.Failure {
	user := func(code, message string) job.Failure {
		return job.Failure{Fault: job.User, Code: code, Message: message}
	}
	infra := func(code, message string, retry bool) job.Failure {
		return job.Failure{Fault: job.Infrastructure, Code: code, Message: message, Retry: retry}
	}
	var given *userError
	switch {
	case errors.As(err, &given):
		return user(given.code, "the request can't be served")
	case is[*quantize.RangeError](err):
		return user("input_range", "an input lies outside its declared interval")
	case is[*inputfile.Error](err), is[*zkml.DatasetError](err), is[*graph.InputError](err), errors.Is(err, graph.ErrNotFinite):
		return user("input", "the inputs or samples can't be used")
	case is[*onnx.FormatError](err), is[*onnx.OpsetError](err), is[*onnx.LimitError](err), is[*onnx.DimError](err):
		return user("model", "the model can't be read")
	case is[*onnx.UnsupportedError](err), is[*quantize.UnsupportedError](err):
		return user("unsupported", "the model has an operator that can't be proven")
	case is[*zkml.AccuracyError](err):
		return user("accuracy", "no setting reaches the target on the samples")
	case errors.Is(err, circuit.ErrTooLarge):
		return user("too_large", "the circuit is too large")
	case is[*zkml.HeadError](err), is[*circuit.VisibilityError](err), is[*circuit.WidthsError](err), is[*quantize.AnswerError](err), is[*quantize.FitError](err):
		return user("options", "the options don't fit the model")
	case errors.Is(err, srs.ErrDevelopment), errors.Is(err, srs.ErrMissing):
		return infra("srs", "the worker has no structured reference string that fits: the operator has to import one", false)
	case errors.Is(err, blob.ErrDamaged), errors.Is(err, seal.ErrDamaged):
		return infra("damaged", "a stored file is damaged", false)
	case errors.Is(err, blob.ErrMissing), errors.Is(err, ErrNoModel):
		return infra("missing", "a stored file is missing", true)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return infra("disk_full", "the worker's disk is full", true)
	case is[*panicError](err):
		return infra("panic", "the worker met a fault of the program", true)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return infra("interrupted", "the worker was interrupted", true)
	}
	return infra("internal", "the worker failed", true)
}
