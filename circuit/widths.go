package circuit

import (
	"context"
	"fmt"
	"sync"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

const (
	minWidth = 3
	maxWidth = 16
	entry    = 3 // rows of a table's entry, at least
)

// WidthsError says that Options.Widths can't be used.
type WidthsError struct{ Widths []int }

// Error implements error.
func (e *WidthsError) Error() string {
	return fmt.Sprintf("table widths %v: want at least one, ascending, of 2 to %d bits", e.Widths, maxWidth)
}

func checkWidths(widths []int) error {
	if len(widths) == 0 {
		return &WidthsError{widths}
	}
	for i, w := range widths {
		if w < 2 || w > maxWidth || i > 0 && w <= widths[i-1] {
			return &WidthsError{widths}
		}
	}
	return nil
}

// chooseWidths returns the widths of the range-check tables that give the fewest
// rows, and so the smallest domain: one table of 3 to 16 bits, or the best of those
// with a second, narrower one beside it. Each candidate is counted exactly, by a dry
// run; a table that is larger than the best circuit so far is not tried.
func chooseWidths(ctx context.Context, p *quantize.Program, m *Manifest) ([]int, error) {
	var singles, pairs [][]int
	for w := minWidth; w <= maxWidth; w++ {
		singles = append(singles, []int{w})
	}
	best, err := fewestRows(ctx, p, m, singles)
	if err != nil {
		return nil, err
	}
	for w := minWidth; w < best[0]; w++ {
		pairs = append(pairs, []int{w, best[0]})
	}
	return fewestRows(ctx, p, m, append([][]int{best}, pairs...))
}

// fewestRows counts the candidates, two at a time, and returns the first of those
// with the fewest rows.
func fewestRows(ctx context.Context, p *quantize.Program, m *Manifest, candidates [][]int) ([]int, error) {
	rows := make([]int, len(candidates))
	errs := make([]error, len(candidates))
	for i := 0; i < len(candidates); i += 2 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		least := -1
		for j := range i {
			if rows[j] > 0 && (least < 0 || rows[j] < least) {
				least = rows[j]
			}
		}
		var wg sync.WaitGroup
		for j := i; j < min(i+2, len(candidates)); j++ {
			w := candidates[j]
			if least > 0 && entry<<w[len(w)-1] > least {
				continue
			}
			wg.Go(func() { rows[j], errs[j] = countRows(p, m, w) })
		}
		wg.Wait()
		for j := i; j < min(i+2, len(candidates)); j++ {
			if errs[j] != nil {
				return nil, errs[j]
			}
		}
	}
	best := 0
	for j := range candidates {
		if rows[j] > 0 && rows[j] < rows[best] {
			best = j
		}
	}
	return candidates[best], nil
}

// countRows returns the rows of the circuit with tables of the given widths.
func countRows(p *quantize.Program, m *Manifest, widths []int) (int, error) {
	c := &compiler{program: p, manifest: m, b: gadget.NewDry(widths...)}
	if err := c.compile(); err != nil {
		return 0, err
	}
	return c.b.Rows() + m.NbWords(), nil
}
