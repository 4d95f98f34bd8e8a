package quantize

import (
	"fmt"
	"math/bits"
)

// Run evaluates the program. The inputs are in the order of p.Inputs, each
// row-major; the result holds the values of every node. It returns a *RangeError
// if an input's element lies outside its declared interval. The program must be
// valid (see Validate) and carry the values of its Params.
func (p *Program) Run(inputs [][]int64) ([][]int64, error) {
	if err := p.checkInputs(inputs); err != nil {
		return nil, err
	}
	values := make([][]int64, len(p.Nodes))
	for i, id := range p.Inputs {
		values[id] = inputs[i]
	}
	operands := make([][]int64, 0, 8)
	for i := range p.Nodes {
		node := &p.Nodes[i]
		if _, ok := node.Op.(Input); ok {
			if values[i] == nil {
				return nil, p.invalidf(ID(i), "an input that the program does not list")
			}
			continue
		}
		operands = operands[:0]
		for _, in := range node.Inputs {
			operands = append(operands, values[in])
		}
		v, err := p.Eval(ID(i), operands...)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

// checkInputs compares input values with their declared shapes and intervals.
func (p *Program) checkInputs(inputs [][]int64) error {
	if len(inputs) != len(p.Inputs) {
		return fmt.Errorf("the program has %d inputs, found values for %d", len(p.Inputs), len(inputs))
	}
	for i, id := range p.Inputs {
		node := &p.Nodes[id]
		if len(inputs[i]) != node.Shape.Size() {
			return fmt.Errorf("input %q: shape %v needs %d elements, found %d", inputName(node), node.Shape, node.Shape.Size(), len(inputs[i]))
		}
		for k, q := range inputs[i] {
			if q < node.Lo || q > node.Hi {
				s := node.Scale
				return &RangeError{Input: inputName(node), Element: k, Value: s.Real(q), Lo: s.Real(node.Lo), Hi: s.Real(node.Hi)}
			}
		}
	}
	return nil
}

// inputName is the declared name of an Input node.
func inputName(n *Node) string {
	if in, ok := n.Op.(Input); ok {
		return in.Name
	}
	return n.Name
}

// Eval computes one node from its operands' values, in the order of the node's
// Inputs. It is exact for operands within their intervals. Operands may hold any
// integers at all (a dishonest prover's witness): then sums and products wrap
// modulo 2^64, and what has no value — a lookup outside its domain, a divisor
// below 1 — is an error. It never panics on a valid program and allocates only
// its result.
func (p *Program) Eval(id ID, operands ...[]int64) ([]int64, error) {
	node := &p.Nodes[id]
	if len(operands) != len(node.Inputs) {
		return nil, p.invalidf(id, "%d operands for %d inputs", len(operands), len(node.Inputs))
	}
	for i, in := range node.Inputs {
		if len(operands[i]) != p.Nodes[in].Shape.Size() {
			return nil, p.invalidf(id, "operand %d has %d elements for shape %v", i, len(operands[i]), p.Nodes[in].Shape)
		}
	}
	switch op := node.Op.(type) {
	case Input:
		return nil, p.invalidf(id, "an input has no operands to compute it from")
	case Const:
		return op.Values, nil
	case Param:
		if len(op.Values) != node.Shape.Size() {
			return nil, p.invalidf(id, "the values of parameter %q are not known", op.Name)
		}
		return op.Values, nil
	}
	y := make([]int64, node.Shape.Size())
	switch op := node.Op.(type) {
	case Rewire:
		op.eval(y, operands)
	case Linear:
		g, err := newGeometry(op, p.Nodes[node.Inputs[0]].Shape, p.Nodes[node.Inputs[1]].Shape)
		if err != nil {
			return nil, p.invalidf(id, "%v", err)
		}
		if len(operands) == 3 {
			spread(y, operands[2], g.oh*g.ow)
		}
		accumulate(&g, y, operands[0], operands[1])
	case MatMul:
		x := p.Nodes[node.Inputs[0]].Shape
		matmul(y, operands[0], operands[1], x[0], x[1], x[2])
	case Mul:
		for i, a := range operands[0] {
			y[i] = a * operands[1][i]
		}
	case Add:
		for i := range y {
			y[i] = op.Const
		}
		for k, x := range operands {
			axpy(y, op.Coeffs[k], x)
		}
	case Rescale:
		for i, x := range operands[0] {
			y[i] = op.apply(x)
		}
	case Lookup:
		for i, x := range operands[0] {
			if x < op.Min || uint64(x)-uint64(op.Min) >= uint64(len(op.Table)) {
				return nil, p.invalidf(id, "element %d is %d, outside the domain of the lookup", i, x)
			}
			y[i] = op.Table[x-op.Min]
		}
	case Max:
		last := len(operands[0]) / max(1, len(y))
		for i := range y {
			y[i] = largest(operands[0][i*last:][:last])
		}
	case Threshold:
		for i, x := range operands[0] {
			if x >= op.T {
				y[i] = 1
			}
		}
	case Div:
		for i, a := range operands[0] {
			q, ok := op.apply(a, operands[1][i])
			if !ok {
				return nil, p.invalidf(id, "element %d: %d / %d is not defined", i, a, operands[1][i])
			}
			y[i] = q
		}
	case ArgMax:
		last := len(operands[0]) / max(1, len(y))
		for i := range y {
			y[i] = argmax(operands[0][i*last:][:last], op.Last)
		}
	default:
		return nil, p.invalidf(id, "unknown operator %T", node.Op)
	}
	return y, nil
}

// eval fills y from the operands laid end to end.
func (op Rewire) eval(y []int64, operands [][]int64) {
	if op.Index == nil {
		copy(y, operands[0])
		return
	}
	if len(operands) == 1 {
		x := operands[0]
		for i, k := range op.Index {
			if k < 0 {
				y[i] = op.Fill
			} else {
				y[i] = x[k]
			}
		}
		return
	}
	for i, k := range op.Index {
		if k < 0 {
			y[i] = op.Fill
			continue
		}
		at := int(k)
		for _, x := range operands {
			if at < len(x) {
				y[i] = x[at]
				break
			}
			at -= len(x)
		}
	}
}

// spread sets each channel's plane of y to the channel's bias.
func spread[T int64 | float64](y, bias []T, plane int) {
	for i := range y {
		y[i] = bias[i/plane%len(bias)]
	}
}

// matmul computes z = x·y for x [b, m, k] and y [b, k, n].
func matmul[T int64 | float64](z, x, y []T, b, m, k int) {
	if b == 0 || m == 0 || k == 0 {
		return
	}
	n := len(z) / (b * m)
	for r := range b * m {
		right := y[r/m*k*n:]
		for i := range k {
			axpy(z[r*n:][:n], x[r*k+i], right[i*n:][:n])
		}
	}
}

// apply rounds and clamps one value; x·Multiplier wraps.
func (op Rescale) apply(x int64) int64 {
	return min(max(op.round(x), op.Min), op.Max)
}

// round is x·Multiplier / 2^Shift, rounded and not clamped.
func (op Rescale) round(x int64) int64 {
	v := x * op.Multiplier
	if op.Shift == 0 {
		return v
	}
	// Shift first and look at the bits that fall out, so that nothing overflows.
	q := v >> op.Shift
	rest := uint64(v) & (1<<op.Shift - 1)
	half := uint64(1) << (op.Shift - 1)
	if rest > half || rest == half && (op.Rounding == HalfUp || q&1 == 1) {
		q++
	}
	return q
}

// apply divides; it reports false where the quotient isn't defined or is out of
// int64.
func (op Div) apply(a, b int64) (int64, bool) {
	if a < 0 || b < 1 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(a), 1<<op.Shift)
	lo, carry := bits.Add64(lo, uint64(b)/2, 0)
	hi += carry
	if hi >= uint64(b) {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, uint64(b))
	return int64(q), q < 1<<63
}

// largest returns the largest element of a row that has one.
func largest(row []int64) int64 {
	m := row[0]
	for _, v := range row[1:] {
		m = max(m, v)
	}
	return m
}

// argmax returns the index of the largest element, the first or the last one.
func argmax(row []int64, last bool) int64 {
	best := 0
	for i, v := range row {
		if v > row[best] || last && v == row[best] {
			best = i
		}
	}
	return int64(best)
}
