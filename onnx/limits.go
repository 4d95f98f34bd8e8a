package onnx

import "github.com/zkml-go/zkml/tensor"

// Limits bounds the work and the memory that one model may ask for. They are
// checked before anything is allocated. A zero field means the default.
type Limits struct {
	// FileBytes is the size of the model file, external data excluded.
	FileBytes int64
	// Messages is the number of protobuf messages in the file.
	Messages int64
	// Nodes is the number of nodes, of the ONNX graph and of the lowered one.
	Nodes int64
	// ConstElements is the number of elements of all constants together, those
	// that lowering makes included.
	ConstElements int64
	// RewireElements is the number of elements of all index maps together,
	// those that lowering makes on its way included.
	RewireElements int64
	// TensorElements is the number of elements of one computed tensor.
	TensorElements int64
	// MACs is the number of multiplications of all linear maps and matrix
	// products together.
	MACs int64
}

// The default limits. A circuit for a model near any of them would be far beyond
// what can be proven; they only keep a hostile file from exhausting the machine.
const (
	MaxFileBytes      = 1 << 30
	MaxMessages       = 1 << 21
	MaxNodes          = 1 << 17
	MaxConstElements  = 1 << 27
	MaxRewireElements = 1 << 28
	MaxTensorElements = 1 << 26
	MaxMACs           = 1 << 36
)

// maxRank bounds the number of axes of a tensor.
const maxRank = 32

// maxExtent bounds every size, stride, pad and the like that an attribute or a
// shape tensor gives, so that sums of products of two of them fit an int64.
const maxExtent = tensor.MaxElements

func (l Limits) withDefaults() Limits {
	set := func(field *int64, value int64) {
		if *field <= 0 {
			*field = value
		}
	}
	set(&l.FileBytes, MaxFileBytes)
	set(&l.Messages, MaxMessages)
	set(&l.Nodes, MaxNodes)
	set(&l.ConstElements, MaxConstElements)
	set(&l.RewireElements, MaxRewireElements)
	set(&l.TensorElements, MaxTensorElements)
	set(&l.MACs, MaxMACs)
	return l
}

// budget counts what has been used of the limits.
type budget struct {
	file   string
	limits Limits
	nodes  int64
	consts int64
	rewire int64
	macs   int64
}

func (b *budget) spend(used *int64, n, limit int64, what, node string) error {
	if n < 0 || n > limit-*used {
		return &LimitError{File: b.file, Node: node, What: what, Limit: limit}
	}
	*used += n
	return nil
}

func (b *budget) spendNode(node string) error {
	return b.spend(&b.nodes, 1, b.limits.Nodes, "nodes", node)
}

func (b *budget) spendConst(n int, node string) error {
	return b.spend(&b.consts, int64(n), b.limits.ConstElements, "elements of constants", node)
}

func (b *budget) spendRewire(n int, node string) error {
	return b.spend(&b.rewire, int64(n), b.limits.RewireElements, "elements of index maps", node)
}

// spendMACs counts the product of factors.
func (b *budget) spendMACs(node string, factors ...int) error {
	n := int64(1)
	for _, f := range factors {
		n *= int64(f)
		if n == 0 {
			return nil
		}
		if n > b.limits.MACs {
			n = b.limits.MACs + 1
			break
		}
	}
	return b.spend(&b.macs, n, b.limits.MACs, "multiplications", node)
}

// checkShape refuses a shape with too many axes or elements.
func (b *budget) checkShape(s tensor.Shape, node string) error {
	if len(s) > maxRank {
		return &LimitError{File: b.file, Node: node, What: "axes in one tensor", Limit: maxRank}
	}
	n := int64(1)
	for _, d := range s {
		if int64(d) > maxExtent {
			return &LimitError{File: b.file, Node: node, What: "elements along one axis", Limit: maxExtent}
		}
		if d < 0 {
			return &FormatError{File: b.file, Node: node, Problem: "a dimension of shape " + s.String() + " is negative"}
		}
		if n *= int64(d); n > b.limits.TensorElements {
			return &LimitError{File: b.file, Node: node, What: "elements in one tensor", Limit: b.limits.TensorElements}
		}
	}
	return nil
}
