package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service"
)

// TestCheckNATS has URLs that are some, and some that are none: those are refused at once, and
// their passwords don't get into the error.
func TestCheckNATS(t *testing.T) {
	for _, good := range []string{
		"", "localhost", "127.0.0.1:4222", "nats://[::1]:4222", "tls://zkml:pass%25word@n1:4222, tls://zkml:word@n2:4222,", "nats://n1:4222/",
	} {
		if err := service.CheckNATS(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"nats://zkml:sec%ret@n1:4222", "nats://zkml:sec/ret@n1:4222", "zkml:sec ret@n1", "nats://n1:4222,nats://zkml:sec%ret@n2:4222", "nats://", "nats:///sec%20ret",
	} {
		begin := time.Now()
		_, err := service.Open(t.Context(), service.Config{Data: t.TempDir(), OperatorKey: t.TempDir() + "/key", NATS: bad})
		if err == nil || strings.Contains(err.Error(), "sec") || strings.Contains(err.Error(), "ret") {
			t.Errorf("%q: %v", bad, err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%q: refused after %v", bad, took)
		}
	}
}
