package work

import (
	"testing"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/service/client"
)

// TestBatchOption wants a request's batch in the options of package zkml, and what is
// wrong with a batch blamed on the request.
func TestBatchOption(t *testing.T) {
	if _, o, err := compileOptions(&client.Options{Batch: 16}); err != nil || o.Batch != 16 {
		t.Errorf("a batch of 16 is one of %d: %v", o.Batch, err)
	}
	if _, _, err := compileOptions(&client.Options{Batch: -1}); err == nil {
		t.Error("a negative batch is accepted")
	}
	if f := classify(&zkml.DatasetError{File: "inputs", Sample: -1, Reason: "2 samples"}); f.Code != "input" {
		t.Errorf("too few inputs are the failure %+v", f)
	}
}
