package work

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/seal"
)

// plain are errors whose texts are always the same.
var plain = []error{
	blob.ErrDamaged, blob.ErrMissing, blob.ErrDigest, blob.ErrTooLarge, seal.ErrDamaged, srs.ErrDevelopment, srs.ErrMissing, ErrNoModel,
	nats.ErrTimeout, nats.ErrConnectionClosed, nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrNoResponders, nats.ErrMaxPayload,
	context.Canceled, context.DeadlineExceeded,
}

// why says in a log what an error of the infrastructure was. An error's whole text may quote
// the request; here are only those of the errors within it that can't: of files, connections,
// NATS and the store, and the places of a panic, without values. Of any other error it is the type.
func why(err error) string {
	var crash *panicError
	if errors.As(err, &crash) {
		return "panic at " + strings.Join(crash.places(), " ")
	}
	var store *blob.StoreError
	var file *fs.PathError
	var link *os.LinkError
	var call *os.SyscallError
	var conn *net.OpError
	var stream jetstream.JetStreamError
	var number syscall.Errno
	switch {
	case errors.As(err, &store):
		return store.Error()
	case errors.As(err, &file):
		return file.Error()
	case errors.As(err, &link):
		return link.Error()
	case errors.As(err, &conn):
		return conn.Error()
	case errors.As(err, &stream) && stream.APIError() != nil:
		return stream.APIError().Error()
	case errors.As(err, &call):
		return call.Error()
	case errors.As(err, &number):
		return number.Error()
	}
	for _, known := range plain {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprintf("an error of type %T", err)
		}
		err = inner
	}
}

// places are the files and lines of the stack. The arguments of its functions, which a stack
// also has, may be inputs.
func (e *panicError) places() (places []string) {
	for line := range strings.Lines(string(e.stack)) {
		if place, ok := strings.CutPrefix(line, "\t"); ok {
			place, _, _ = strings.Cut(strings.TrimSpace(place), " ")
			places = append(places, place)
		}
	}
	return places
}
