package work

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/seal"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		err   error
		fault job.Fault
		code  string
		retry bool
	}{
		{&quantize.RangeError{Input: "secret"}, job.User, "input_range", false},
		{&inputfile.Error{File: "secret", Err: inputfile.ErrShape}, job.User, "input", false},
		{&onnx.FormatError{}, job.User, "model", false},
		{&onnx.UnsupportedError{}, job.User, "unsupported", false},
		{&userError{"options", errors.New("secret")}, job.User, "options", false},
		{srs.ErrMissing, job.Infrastructure, "srs", false},
		{blob.ErrDamaged, job.Infrastructure, "damaged", false},
		{seal.ErrDamaged, job.Infrastructure, "damaged", false},
		{blob.ErrMissing, job.Infrastructure, "missing", true},
		{&panicError{[]byte("secret")}, job.Infrastructure, "panic", true},
		{&fs.PathError{Op: "write", Path: "secret", Err: syscall.ENOSPC}, job.Infrastructure, "disk_full", true},
		{context.Canceled, job.Infrastructure, "interrupted", true},
		{errors.New("secret: no space left on device"), job.Infrastructure, "internal", true},
	} {
		f := classify(fmt.Errorf("while at it: %w", c.err))
		if f.Fault != c.fault || f.Code != c.code || f.Retry != c.retry || f.Message == "" {
			t.Errorf("%v: %+v", c.err, f)
		}
		if strings.Contains(f.Message, "secret") {
			t.Errorf("%v: the message quotes it: %s", c.err, f.Message)
		}
	}
}
