package quantize_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/zkml-go/zkml/quantize"
)

// countdown is a context that is canceled once it was asked so often.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestQuantizeIsCanceled ends calibrations at many points: each returns the context's
// error, and the search asks often enough to notice.
func TestQuantizeIsCanceled(t *testing.T) {
	g, samples := testModel{Name: "diabetes"}.load(t)
	whole := &countdown{Context: t.Context()}
	whole.left.Store(1 << 40)
	if _, _, err := quantize.Quantize(whole, g, quantize.Options{Samples: samples}); err != nil {
		t.Fatal(err)
	}
	asked := 1<<40 - whole.left.Load()
	if asked < int64(4*len(samples)) {
		t.Errorf("the context was asked %d times in a search over %d samples", asked, len(samples))
	}
	for k := range int64(8) {
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(asked * k / 9)
		if _, _, err := quantize.Quantize(ctx, g, quantize.Options{Samples: samples}); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled at %d of %d: %v", asked*k/9, asked, err)
		}
	}
}
