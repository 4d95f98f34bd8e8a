// Package embeddedtest gives tests a NATS of their own.
package embeddedtest

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/zkml-go/zkml/service/embedded"
)

// Connect returns a connection to a new, empty NATS with JetStream, which ends with the test.
func Connect(t testing.TB) *nats.Conn {
	t.Helper()
	server, err := embedded.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}
