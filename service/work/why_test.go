package work

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/blob"
)

// TestWhy says of faults what they were, and nothing that a request may have had.
func TestWhy(t *testing.T) {
	crash := guarded(func() error { panic("secret") })
	for _, c := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "write", Path: "blobs/abc", Err: syscall.EIO}, "write blobs/abc: input/output error"},
		{syscall.ENOSPC, "no space left on device"},
		{blob.ErrMissing, blob.ErrMissing.Error()},
		{&blob.StoreError{Op: "open", Name: "public/a/b", Err: errors.New("access denied")}, "open blob public/a/b: access denied"},
		{nats.ErrTimeout, "nats: timeout"},
		{jetstream.ErrStreamNotFound, "stream not found"},
		{crash, "why_test.go:"},
		{errors.New("secret"), "*errors.errorString"},
	} {
		got := why(fmt.Errorf("secret: %w", c.err))
		if !strings.Contains(got, c.want) || strings.Contains(got, "secret") || strings.Contains(got, "0x") {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
