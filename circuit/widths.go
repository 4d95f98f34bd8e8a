package circuit

import (
	"context"
	"fmt"
	"slices"
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

// maxAdded is the widest table that is tried beside another.
const maxAdded = 13

// maxTables is how many range-check tables chooseWidths takes at most.
const maxTables = 3

// chooseWidths returns the widths of the range-check tables that give the fewest
// rows, and so the smallest domain. It begins with the best single table of 3 to 16
// bits and adds the one that saves most rows as long as one does: activations,
// remainders and hidden weights each want a table of their own width, where a value
// takes one limb. Each candidate is counted exactly, by a dry run; a table that is
// larger than the best circuit so far is not tried. What it depends on is the program
// without the values of its Params, as the rows do.
func chooseWidths(ctx context.Context, p *quantize.Program, m *Manifest) ([]int, error) {
	var best []int
	for len(best) < maxTables {
		candidates := [][]int{best}
		if best == nil {
			candidates = nil
		}
		for w := minWidth; w <= maxWidth; w++ {
			if w > maxAdded && best != nil {
				break // it would have to save more rows than its entries
			}
			if !slices.Contains(best, w) {
				more := append(slices.Clone(best), w)
				slices.Sort(more)
				candidates = append(candidates, more)
			}
		}
		better, err := fewestRows(ctx, p, m, candidates)
		if err != nil || len(better) == len(best) {
			return better, err
		}
		best = better
	}
	return best, nil
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
			wg.Go(func() { rows[j], errs[j] = countRows(ctx, p, m, w) })
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
func countRows(ctx context.Context, p *quantize.Program, m *Manifest, widths []int) (int, error) {
	c := &compiler{program: p, manifest: m, b: gadget.NewDry(widths...)}
	if err := c.compile(ctx); err != nil {
		return 0, err
	}
	return c.b.Rows() + m.NbWords(), nil
}
