package onnx

import (
	"fmt"
	"strings"
)

// FormatError says that a file isn't a well-formed ONNX model: it can't be
// decoded, or what it says contradicts itself or the ONNX specification.
type FormatError struct {
	File    string // the model's path; empty for a model in memory
	Node    string // the node concerned, if any
	Value   string // the tensor, attribute or dimension concerned, if any
	Problem string // what was found and what was expected
	Hint    string // what to do about it, if known
}

func (e *FormatError) Error() string {
	var s strings.Builder
	s.WriteString(fileLabel(e.File))
	if e.Node != "" {
		fmt.Fprintf(&s, ": node %q", e.Node)
	}
	if e.Value != "" {
		fmt.Fprintf(&s, ": %q", e.Value)
	}
	s.WriteString(": " + e.Problem)
	if e.Hint != "" {
		s.WriteString(" (" + e.Hint + ")")
	}
	return s.String()
}

// OpsetError says that the model was written for a version of ONNX's operator
// set that this package doesn't read.
type OpsetError struct {
	File          string
	Found         int64
	Lowest, Above int // the supported versions: Lowest <= version < Above
}

func (e *OpsetError) Error() string {
	return fmt.Sprintf("%s: operator set %d is not supported: export the model for a version from %d to %d",
		fileLabel(e.File), e.Found, e.Lowest, e.Above-1)
}

// LimitError says that a model is larger than a limit of this package; see
// [Limits].
type LimitError struct {
	File  string
	Node  string // the node at which the limit was passed, if any
	What  string // what is counted, such as "elements of constants"
	Limit int64
}

func (e *LimitError) Error() string {
	at := ""
	if e.Node != "" {
		at = fmt.Sprintf(": node %q", e.Node)
	}
	return fmt.Sprintf("%s%s: the model needs more than the limit of %d %s", fileLabel(e.File), at, e.Limit, e.What)
}

// FreeDim is a dimension of a model's input whose size the file leaves open.
type FreeDim struct {
	// Name is the key for Options.Dims: the name that the file gives the
	// dimension, or "input.axis" where it gives none.
	Name  string
	Input string
	Axis  int
}

// DimError lists the free dimensions that need a size before the model can be
// compiled. Only a leading batch dimension has a default.
type DimError struct {
	File string
	Dims []FreeDim
}

func (e *DimError) Error() string {
	var where, flags []string
	seen := map[string]bool{}
	for _, d := range e.Dims {
		where = append(where, fmt.Sprintf("%q is axis %d of input %q", d.Name, d.Axis, d.Input))
		if !seen[d.Name] {
			seen[d.Name] = true
			flags = append(flags, "--dim "+d.Name+"=N")
		}
	}
	return fmt.Sprintf("%s: the model leaves dimensions open: %s: give each a size with %s",
		fileLabel(e.File), strings.Join(where, ", "), strings.Join(flags, " "))
}

// UnsupportedNode is a node that can't be lowered.
type UnsupportedNode struct {
	Name   string // the node's name, or its operator and first output if it has none
	OpType string
	Domain string // empty for ONNX's own operators
	Reason string
}

// UnsupportedError lists every node of a model that can't be lowered. A node
// whose operands come from such a node isn't listed: it wasn't tried.
type UnsupportedError struct {
	File  string
	Nodes []UnsupportedNode
}

func (e *UnsupportedError) Error() string {
	var s strings.Builder
	noun := "nodes are"
	if len(e.Nodes) == 1 {
		noun = "node is"
	}
	fmt.Fprintf(&s, "%s: %d %s not supported:", fileLabel(e.File), len(e.Nodes), noun)
	for _, n := range e.Nodes {
		op := n.OpType
		if n.Domain != "" {
			op = n.Domain + "." + op
		}
		fmt.Fprintf(&s, "\n  %s %q: %s", op, n.Name, n.Reason)
	}
	return s.String()
}

func fileLabel(file string) string {
	if file == "" {
		return "onnx model"
	}
	return file
}
