package circuit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	gnarkcs "github.com/consensys/gnark/frontend/cs"
)

// UnsatisfiedError says that a witness breaks a constraint.
type UnsatisfiedError struct {
	Row    int    // the first constraint that doesn't hold
	Node   string // the ONNX node that it was written for
	Gadget string // and what it is part of
	Err    error
}

// Error implements error.
func (e *UnsatisfiedError) Error() string {
	return fmt.Sprintf("node %q: row %d (%s) doesn't hold: %v", e.Node, e.Row, e.Gadget, e.Err)
}

// Unwrap returns the solver's error.
func (e *UnsatisfiedError) Unwrap() error { return e.Err }

// DifferenceError says that the circuit computes another value than the integer
// interpreter.
type DifferenceError struct {
	Node             string // the ONNX node
	Element          int    // row-major index
	Circuit, Program string
}

// Error implements error.
func (e *DifferenceError) Error() string {
	return fmt.Sprintf("node %q: element %d is %s in the circuit and %s in the program", e.Node, e.Element, e.Circuit, e.Program)
}

// Check solves the constraints for an assignment, without proving, and compares
// every tensor that has wires with the integer interpreter's, element by element.
// It returns the number of elements compared, an *UnsatisfiedError or a
// *DifferenceError. The challenge is a stand-in, a hash of the committed values.
func (c *Circuit) Check(a *Assignment) (int, error) {
	wires, err := c.solve(a)
	if err != nil {
		return 0, err
	}
	compared := 0
	for id, t := range c.tensors {
		n := &c.Program.Nodes[id]
		for i, x := range t {
			v := x.Const
			if !x.IsConst() {
				w, ok := wires[uint32(x.Wire)]
				if !ok {
					return compared, fmt.Errorf("node %q: element %d has a wire that no row uses", n.Name, i)
				}
				var term fr.Element
				v.Add(&v, term.Mul(&x.Coeff, &w))
			}
			var want fr.Element
			if want.SetInt64(a.Values[id][i]); !v.Equal(&want) {
				return compared, &DifferenceError{n.Name, i, v.String(), fmt.Sprint(a.Values[id][i])}
			}
			compared++
		}
	}
	return compared, nil
}

// solve returns the value of each wire that a row uses.
func (c *Circuit) solve(a *Assignment) (map[uint32]fr.Element, error) {
	commitment := solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder)
	opts := append(c.SolverOptions(), solver.OverrideHint(commitment, standInChallenge))
	result, err := c.System.Solve(a.Witness, opts...)
	if err != nil {
		return nil, c.explain(err)
	}
	solution := result.(*cs.SparseR1CSSolution)
	public := c.Manifest.NbWords()
	wires := make(map[uint32]fr.Element)
	for i, w := range a.Words {
		wires[uint32(i)] = w
	}
	for row, r := range c.System.GetSparseR1Cs() {
		wires[r.XA] = solution.L[public+row]
		wires[r.XB] = solution.R[public+row]
		wires[r.XC] = solution.O[public+row]
	}
	return wires, nil
}

// standInChallenge replaces the commitment where nothing is proven.
func standInChallenge(mod *big.Int, in, out []*big.Int) error {
	h := sha256.New()
	for _, v := range in {
		h.Write(v.FillBytes(make([]byte, 32)))
	}
	out[0].Mod(new(big.Int).SetBytes(h.Sum(nil)), mod)
	return nil
}

// explain names the ONNX node of the row that a solver's error is about.
func (c *Circuit) explain(err error) error {
	var unsatisfied *cs.UnsatisfiedConstraintError
	if !errors.As(err, &unsatisfied) {
		return fmt.Errorf("solve the constraints: %w", err)
	}
	r := c.builder.RegionOf(unsatisfied.CID)
	return &UnsatisfiedError{Row: unsatisfied.CID, Node: r.Node, Gadget: r.Gadget, Err: unsatisfied.Err}
}
