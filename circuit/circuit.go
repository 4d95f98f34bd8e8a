// Package circuit compiles an integer program to a PLONK constraint system.
//
// The program's tensors become tensors of affine wire expressions; moving data
// ([quantize.Rewire]) costs nothing. Each operator is proven by a gadget of
// [github.com/zkml-go/zkml/circuit/gadget]; where operators follow one another in a
// way that one gadget proves together more cheaply — a rescale and a lookup, a
// maximum and a rescale — they are fused, and the tensor between them has no wires.
//
// What a proof costs is rows. The widths of the range-check tables are chosen for
// the whole circuit by counting: a dry run of the same code writes nothing and
// returns the exact number of rows.
//
// What a proof shows is chosen for each tensor ([Options]): its packed elements, nothing,
// or a digest ([Public.Digest]), which costs about 300 rows for each packed word. Hidden
// weights are the program's Params: secret inputs, range-checked to declared intervals
// like every tensor that enters. testdata has test vectors of digests: digests.json and
// weights.json.
//
// A [Circuit] also carries the [Manifest], which says what the public words of a
// proof mean, and it is rebuilt from the program wherever it is needed: a
// constraint system is never read from a file.
package circuit

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// Circuit is a compiled program.
type Circuit struct {
	// Program is what the circuit proves.
	Program *quantize.Program
	// Manifest says what the public words mean.
	Manifest *Manifest
	// System is the constraint system; public wires are the public words in order.
	System *cs.SparseR1CS
	// Widths are the widths in bits of the range-check tables.
	Widths []int

	builder *gadget.Builder
	tensors [][]gadget.Expr // by quantize.ID; nil where fused away
}

// Options choose how a program is compiled.
type Options struct {
	// Model is the model's name, for the manifest.
	Model string
	// Widths are the widths in bits of the range-check tables, ascending, each 2 to
	// 16. Nil chooses those that give the smallest domain and then the fewest rows.
	Widths []int
	// Visibility says which inputs and outputs are Private or Hashed, by name; the
	// others are Shown.
	Visibility map[string]Visibility
	// Weights may be Hashed if the program has Params, and is otherwise what the
	// program says: Private with Params, Fixed without. The zero value, Shown, asks
	// for nothing.
	Weights Visibility
}

// VisibilityError says why a tensor can't be shown or hidden as asked.
type VisibilityError struct {
	Name   string // of the tensor, or WeightsName
	Reason string
}

// Error implements error.
func (e *VisibilityError) Error() string {
	return fmt.Sprintf("visibility of %q: %s", e.Name, e.Reason)
}

// MaxRows is the largest number of rows that a circuit may have.
const MaxRows = gadget.MaxRows

// ErrTooLarge says that a program needs more than MaxRows rows.
var ErrTooLarge = gadget.ErrTooLarge

// Compile writes the constraints of p. The result is the same for the same program
// and options on every machine. The context cancels the search for widths. A
// *VisibilityError says that a tensor can't be shown or hidden as asked. Range
// checks and lanes rest on the program's intervals: where they aren't sound, the error
// is a *quantize.InvalidError. Widths that can't be used are a *WidthsError.
func Compile(ctx context.Context, p *quantize.Program, opt Options) (*Circuit, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	m, err := manifestOf(p, opt)
	if err != nil {
		return nil, err
	}
	widths := opt.Widths
	if widths == nil {
		if widths, err = chooseWidths(ctx, p, m); err != nil {
			return nil, err
		}
	}
	if err := checkWidths(widths); err != nil {
		return nil, err
	}
	c := &compiler{program: p, manifest: m, b: gadget.New(1<<16, widths...)}
	if err := c.compile(ctx); err != nil {
		return nil, err
	}
	return &Circuit{
		Program: p, Manifest: m, System: c.b.System(), Widths: widths,
		builder: c.b, tensors: c.tensors,
	}, nil
}

// Rows returns what the domain holds: constraints and public words.
func (c *Circuit) Rows() int { return c.System.GetNbConstraints() + c.Manifest.NbWords() }

// Domain returns the size of the evaluation domain, the next power of two.
func (c *Circuit) Domain() int { return domain(c.Rows()) }

func domain(rows int) int { return 1 << bits.Len(uint(rows-1)) }

// SolverOptions returns the options that a gnark solver or prover of System needs.
func (c *Circuit) SolverOptions() []solver.Option { return c.builder.SolverOptions() }

// Line is the rows that one ONNX node takes for one purpose.
type Line struct {
	Node   string `json:"node"`
	Gadget string `json:"gadget"`
	Rows   int    `json:"rows"`
}

// Layout returns the rows of each node and gadget in the order in which they were
// first written. Their sum, with the public words, is Rows.
func (c *Circuit) Layout() []Line {
	regions, rows := c.builder.RowsBy()
	lines := make([]Line, len(regions))
	for i, r := range regions {
		lines[i] = Line{Node: r.Node, Gadget: r.Gadget, Rows: rows[r]}
	}
	return lines
}

// SoundnessBits returns b such that a false statement is accepted with probability
// at most 2^-b over the challenge: the field's 253 bits less those of the sum of
// terms of all challenge-checked identities. The curve's own security is about 100
// bits.
func (c *Circuit) SoundnessBits() int { return 253 - bits.Len64(c.builder.SoundnessTerms()) }

// manifestOf derives the manifest of a program.
func manifestOf(p *quantize.Program, opt Options) (*Manifest, error) {
	m := &Manifest{Version: FormatVersion, Model: opt.Model, ProgramDigest: p.Digest(), Weights: Fixed}
	for _, id := range p.Inputs {
		n := p.Nodes[id]
		in, ok := n.Op.(quantize.Input)
		if !ok {
			return nil, fmt.Errorf("node %d (%s) is listed as an input but is a %T", id, n.Name, n.Op)
		}
		m.Inputs = append(m.Inputs, Public{
			Name: in.Name, Visibility: opt.Visibility[in.Name], Shape: n.Shape, Lo: n.Lo, Bits: in.Bits, Scale: n.Scale,
		})
	}
	for _, out := range p.Outputs {
		n := p.Nodes[out.ID]
		m.Outputs = append(m.Outputs, Public{
			Name: out.Name, Visibility: opt.Visibility[out.Name], Shape: n.Shape, Lo: n.Lo, Bits: bitsFor(n.Lo, n.Hi), Scale: n.Scale, Labels: out.Labels,
		})
	}
	if len(paramsOf(p)) > 0 {
		m.Weights = Private
	}
	switch {
	case opt.Weights == Shown, opt.Weights == m.Weights:
	case opt.Weights == Hashed && m.Weights == Private:
		m.Weights = Hashed
	case m.Weights == Fixed:
		return nil, &VisibilityError{WeightsName, "the model has no hidden weights"}
	default:
		return nil, &VisibilityError{WeightsName, fmt.Sprintf("they are part of the witness and can't be %v", opt.Weights)}
	}
	return m, m.checkVisibility(opt.Visibility)
}

// checkVisibility returns an error for a visibility that no tensor can have, for one
// of a tensor that isn't there, and for two digests of one name.
func (m *Manifest) checkVisibility(asked map[string]Visibility) error {
	known := make(map[string]bool)
	for _, tensors := range [][]Public{m.Inputs, m.Outputs} {
		for _, p := range tensors {
			known[p.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		switch {
		case !known[name]:
			return &VisibilityError{name, "the model has no such input or output"}
		case asked[name] > Hashed:
			return &VisibilityError{name, fmt.Sprintf("an input or output is public, private or hashed, not %v", asked[name])}
		}
	}
	seen := make(map[string]bool)
	for _, name := range m.Hashed() {
		if seen[name] || name == WeightsName && known[name] {
			return &VisibilityError{name, "two digests would have this name"}
		}
		seen[name] = true
	}
	return nil
}
