package quantize

import "fmt"

// RangeError says that an input's element lies outside the interval that the
// program declares for it. Nothing has been computed.
type RangeError struct {
	Input   string  // name of the input
	Element int     // row-major index of the element
	Value   float64 // what was given, in real units
	Lo, Hi  float64 // the interval, in real units
}

// Error implements error.
func (e *RangeError) Error() string {
	return fmt.Sprintf("input %q: element %d is %v, outside [%v, %v]", e.Input, e.Element, e.Value, e.Lo, e.Hi)
}

// UnsupportedError says that a node of the float graph has no integer form.
type UnsupportedError struct {
	Node   string // name of the ONNX node
	Op     string // operator of the float graph
	Reason string
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("node %q: %s: %s", e.Node, e.Op, e.Reason)
}

// FitError says that a model doesn't fit what settings, or another model, declare for
// its hidden weights and what is computed with them.
type FitError struct {
	Tensor string // name of the weights, or of what is computed; "" for the whole
	Reason string
}

// Error implements error.
func (e *FitError) Error() string {
	if e.Tensor == "" {
		return "the model doesn't fit: " + e.Reason
	}
	return fmt.Sprintf("tensor %q doesn't fit: %s", e.Tensor, e.Reason)
}

// InvalidError says that a Program breaks one of its own rules.
type InvalidError struct {
	Node   ID // the node, or -1 if the program as a whole
	Name   string
	Reason string
}

// Error implements error.
func (e *InvalidError) Error() string {
	if e.Node < 0 {
		return "invalid program: " + e.Reason
	}
	return fmt.Sprintf("invalid program: tensor %d (%q): %s", e.Node, e.Name, e.Reason)
}

// invalidf makes an InvalidError about node id.
func (p *Program) invalidf(id ID, format string, args ...any) error {
	name := ""
	if id >= 0 && int(id) < len(p.Nodes) {
		name = p.Nodes[id].Name
	}
	return &InvalidError{Node: id, Name: name, Reason: fmt.Sprintf(format, args...)}
}
