package circuit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

const (
	minWidth = 3
	maxWidth = 16
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
// takes one limb. Each candidate is counted exactly, by a dry run, which ends when it
// has more rows than the best so far. What it depends on is the program without the
// values of its Params, as the rows do.
func chooseWidths(ctx context.Context, p *quantize.Program, m *Manifest) ([]int, error) {
	var best []int
	rows := MaxRows + 1
	for len(best) < maxTables {
		var candidates [][]int
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
		i, fewest, err := fewestRows(ctx, p, m, candidates, rows)
		if err != nil {
			return nil, err
		}
		if best != nil && fewest == rows {
			break
		}
		best, rows = candidates[i], fewest
	}
	return best, nil
}

// fewestRows counts the candidates, two at a time, and returns the index of the first of
// those with the fewest rows, and how many these are; or most if none has fewer. It begins
// in the middle, where the best are mostly: the others' counts end the sooner.
func fewestRows(ctx context.Context, p *quantize.Program, m *Manifest, candidates [][]int, most int) (int, int, error) {
	var mu sync.Mutex
	best, fewest := 0, most
	count := func(i int) error {
		mu.Lock()
		limit := fewest
		mu.Unlock()
		rows, err := countRows(ctx, p, m, candidates[i], limit)
		if errors.Is(err, ErrTooLarge) && limit <= MaxRows {
			return nil // another is better
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if rows < fewest || rows == fewest && i < best {
			best, fewest = i, rows
		}
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	middle := len(candidates) / 2
	for k := range candidates {
		i := middle + k/2 // middle, middle−1, middle+1, …
		if k%2 == 1 {
			i = middle - (k+1)/2
		}
		g.Go(func() error { return count(i) })
	}
	err := g.Wait()
	return best, fewest, err
}

// countRows returns the rows of the circuit with tables of the given widths, without
// those of the public words, or ErrTooLarge if they are more than most.
func countRows(ctx context.Context, p *quantize.Program, m *Manifest, widths []int, most int) (int, error) {
	c := &compiler{program: p, manifest: m, b: gadget.NewDry(widths...)}
	c.b.Limit(most)
	if err := c.compile(ctx); err != nil {
		return 0, err
	}
	return c.b.Rows(), nil
}
