package audit

import (
	"fmt"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
)

// Of returns the system of a compiled circuit. Salts count as given: a digest of another
// salt is another statement.
func Of(c *circuit.Circuit) *System {
	s := &System{
		Name: c.Manifest.Model, CS: c.System, Options: c.SolverOptions(),
		Region: c.Region, HintName: c.HintName, Lookups: c.Lookups(),
	}
	visibility := make(map[quantize.ID]circuit.Visibility)
	word := 1 // after the context
	for i, p := range c.Manifest.Inputs {
		visibility[c.Program.Inputs[i]] = p.Visibility
		word += p.Words()
	}
	s.Results[0] = word
	for _, p := range c.Manifest.Outputs {
		word += p.Words()
	}
	s.Results[1] = word
	first := 0
	for id := range c.Program.Nodes {
		n := &c.Program.Nodes[id]
		t := c.Elements(quantize.ID(id))
		if t != nil {
			s.Tensors = append(s.Tensors, Tensor{n.Name, t})
		}
		in := Input{Name: n.Name, First: first, Count: len(t), Lo: n.Lo, Hi: n.Hi}
		switch n.Op.(type) {
		case quantize.Input:
			in.Hidden = visibility[quantize.ID(id)] == circuit.Private
		case quantize.Param:
			in.Hidden = c.Manifest.Weights != circuit.Hashed
		default:
			continue
		}
		first += len(t)
		s.Inputs = append(s.Inputs, in)
	}
	if salts := len(c.Manifest.Hashed()); salts > 0 {
		s.Inputs = append(s.Inputs, Input{Name: "salts", First: first, Count: salts, Given: true})
	}
	return s
}

// Witness returns the public words and secret inputs of an assignment, for Run.
func Witness(a *circuit.Assignment) ([]fr.Element, error) {
	v, ok := a.Witness.Vector().(fr.Vector)
	if !ok {
		return nil, fmt.Errorf("audit: a witness of %T", a.Witness.Vector())
	}
	return v, nil
}

// Random returns n honest witnesses with random inputs of their declared intervals.
func Random(c *circuit.Circuit, n int, seed uint64) ([][]fr.Element, error) {
	r := rand.New(rand.NewPCG(seed, 15))
	var list [][]fr.Element
	for range n {
		inputs := make([][]int64, len(c.Program.Inputs))
		for i, id := range c.Program.Inputs {
			node := &c.Program.Nodes[id]
			inputs[i] = make([]int64, node.Shape.Size())
			for k := range inputs[i] {
				inputs[i][k] = node.Lo + r.Int64N(node.Hi-node.Lo+1)
			}
		}
		salts := make(circuit.Salts)
		for _, name := range c.Manifest.Hashed() {
			salts[name] = fr.NewElement(r.Uint64())
		}
		a, err := c.AssignSalted(inputs, fr.Element{}, salts)
		if err != nil {
			return nil, err
		}
		w, err := Witness(a)
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}
