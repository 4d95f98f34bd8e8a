package circuit

import (
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// Region returns the ONNX node and the gadget that a row was written for.
func (c *Circuit) Region(row int) gadget.Region { return c.builder.RegionOf(row) }

// Lookups lists the queries of all lookup tables.
func (c *Circuit) Lookups() []gadget.Lookup { return c.builder.Lookups() }

// HintName returns the name of a hint function of this circuit, or "".
func (c *Circuit) HintName(id solver.HintID) string { return c.builder.HintName(id) }

// Elements returns the expressions of a node's elements in row-major order, nil where
// the node was fused with the one that uses it.
func (c *Circuit) Elements(id quantize.ID) []gadget.Expr { return c.tensors[id] }
