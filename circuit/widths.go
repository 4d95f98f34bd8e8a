package circuit

import (
	"context"
	"fmt"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

const (
	minWidth = 8
	maxWidth = 16
)

func checkWidths(widths []int) error {
	if len(widths) == 0 {
		return fmt.Errorf("at least one range-check table is needed")
	}
	for i, w := range widths {
		if w < 2 || w > maxWidth || i > 0 && w <= widths[i-1] {
			return fmt.Errorf("table widths %v: want ascending widths of 2 to %d bits", widths, maxWidth)
		}
	}
	return nil
}

// chooseWidths returns the widths of the range-check tables that give the smallest
// domain and then the fewest rows: one table of 8 to 16 bits, or the best with a
// second, narrower one beside it. Each candidate is counted exactly, by a dry run.
func chooseWidths(ctx context.Context, p *quantize.Program, m *Manifest) ([]int, error) {
	var best []int
	bestRows := 0
	try := func(widths ...int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &compiler{program: p, manifest: m, b: gadget.NewDry(widths...)}
		if err := c.compile(); err != nil {
			return err
		}
		rows := c.b.Rows() + m.NbWords()
		if best == nil || rows < bestRows {
			best, bestRows = widths, rows
		}
		return nil
	}
	for w := minWidth; w <= maxWidth; w++ {
		if err := try(w); err != nil {
			return nil, err
		}
	}
	for wide, w := best[0], minWidth; w < wide; w++ {
		if err := try(w, wide); err != nil {
			return nil, err
		}
	}
	return best, nil
}
