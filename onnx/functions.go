package onnx

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/internal/onnxpb"
)

// maxCallDepth bounds how deep functions call functions.
const maxCallDepth = 16

// functionKey identifies a function of a model.
type functionKey struct{ domain, name, overload string }

// inliner replaces calls of a model's own functions by the functions' bodies.
// Some exporters wrap each layer of the original program in a function.
type inliner struct {
	model     *model
	functions map[functionKey]*onnxpb.FunctionProto
	nodes     []*onnxpb.NodeProto
	calls     int
	work      int64 // bytes of names made, and entries of functions' lists read
}

// inlineFunctions expands every call in the graph.
func (m *model) inlineFunctions(p *onnxpb.ModelProto) error {
	if len(p.Functions) == 0 {
		return nil
	}
	in := &inliner{model: m, functions: map[functionKey]*onnxpb.FunctionProto{}}
	for _, f := range p.Functions {
		key := functionKey{f.GetDomain(), f.GetName(), f.GetOverload()}
		if in.functions[key] != nil {
			return m.format("", f.GetName(), "two functions have this name", "")
		}
		in.functions[key] = f
	}
	for _, n := range m.graph.Node {
		if err := in.add(n, 0); err != nil {
			return err
		}
	}
	m.graph.Node = in.nodes
	return nil
}

// add appends a node, or the body of the function that it calls.
func (in *inliner) add(n *onnxpb.NodeProto, depth int) error {
	f := in.functions[functionKey{n.GetDomain(), n.GetOpType(), n.GetOverload()}]
	if f == nil {
		if int64(len(in.nodes)) >= in.model.budget.limits.Nodes {
			return &LimitError{File: in.model.budget.file, Node: nodeName(n), What: "nodes", Limit: in.model.budget.limits.Nodes}
		}
		in.nodes = append(in.nodes, n)
		return nil
	}
	if depth == maxCallDepth {
		return &LimitError{File: in.model.budget.file, Node: nodeName(n), What: "levels of functions", Limit: maxCallDepth}
	}
	if in.calls++; int64(in.calls) > in.model.budget.limits.Nodes {
		return &LimitError{File: in.model.budget.file, Node: nodeName(n), What: "function calls", Limit: in.model.budget.limits.Nodes}
	}
	if err := in.spend(n, 16*int64(len(f.Input)+len(f.Output)+len(f.Attribute)+len(f.AttributeProto)+len(f.OpsetImport))*int64(1+len(n.Attribute))); err != nil {
		return err
	}
	c, err := in.call(f, n)
	if err != nil {
		return err
	}
	for _, body := range f.Node {
		if err := in.spend(n, c.nameBytes(body, n)); err != nil {
			return err
		}
		if err := in.add(c.instantiate(body, nodeName(n)), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// spend counts the work of expanding a call, in bytes or what takes as long: a
// small file may call a long function often.
func (in *inliner) spend(n *onnxpb.NodeProto, work int64) error {
	limit := in.model.budget.limits.FileBytes
	if work > limit-in.work {
		return &LimitError{File: in.model.budget.file, Node: nodeName(n), What: "bytes of expanded functions", Limit: limit}
	}
	in.work += work
	return nil
}

// call binds the names of a function's body to those at a node that calls it.
func (in *inliner) call(f *onnxpb.FunctionProto, n *onnxpb.NodeProto) (*call, error) {
	for _, o := range f.OpsetImport {
		if ownDomain(o.GetDomain()) && o.GetVersion() != int64(in.model.opset) {
			return nil, in.model.format(nodeName(n), f.GetName(), fmt.Sprintf("the function is written for version %d of the operator set, the model for %d", o.GetVersion(), in.model.opset), "")
		}
	}
	if len(n.Input) > len(f.Input) || len(n.Output) > len(f.Output) {
		return nil, in.model.format(nodeName(n), f.GetName(), fmt.Sprintf("the call has %d operands and %d results, the function %d and %d", len(n.Input), len(n.Output), len(f.Input), len(f.Output)), "")
	}
	c := &call{names: map[string]string{"": ""}, attributes: map[string]*onnxpb.AttributeProto{}}
	c.prefix = fmt.Sprintf("call %d/", in.calls)
	for i, formal := range f.Input {
		c.names[formal] = ""
		if i < len(n.Input) {
			c.names[formal] = n.Input[i]
		}
	}
	for i, formal := range f.Output {
		if i < len(n.Output) && n.Output[i] != "" {
			if _, taken := c.names[formal]; taken {
				return nil, in.model.format(nodeName(n), f.GetName(), "a function's result is also its operand", "")
			}
			c.names[formal] = n.Output[i]
		}
	}
	for _, a := range f.AttributeProto {
		c.attributes[a.GetName()] = a
	}
	for _, a := range n.Attribute {
		if c.attributes[a.GetName()] == nil && !slices.Contains(f.Attribute, a.GetName()) {
			return nil, in.model.format(nodeName(n), a.GetName(), "the function that the node calls has no such attribute", "")
		}
		c.attributes[a.GetName()] = a
	}
	return c, nil
}

// call is one call of a function.
type call struct {
	prefix     string
	names      map[string]string // values of the body to values outside
	attributes map[string]*onnxpb.AttributeProto
}

// value is the name outside of a value of the body.
func (c *call) value(name string) string {
	outside, ok := c.names[name]
	if !ok {
		outside = c.prefix + name
		c.names[name] = outside
	}
	return outside
}

// nameBytes is at most how much text instantiate makes.
func (c *call) nameBytes(body, caller *onnxpb.NodeProto) int64 {
	total := len(nodeName(body)) + len(nodeName(caller))
	for _, list := range [][]string{body.Input, body.Output} {
		for _, name := range list {
			total += len(c.prefix) + len(name)
		}
	}
	return int64(total)
}

// instantiate copies a node of the body into the caller's graph.
func (c *call) instantiate(body *onnxpb.NodeProto, caller string) *onnxpb.NodeProto {
	n := &onnxpb.NodeProto{OpType: body.OpType, Domain: body.Domain, Overload: body.Overload, Name: proto.String(caller + "/" + nodeName(body))}
	for _, name := range body.Input {
		n.Input = append(n.Input, c.value(name))
	}
	for _, name := range body.Output {
		n.Output = append(n.Output, c.value(name))
	}
	for _, a := range body.Attribute {
		if a.GetRefAttrName() == "" {
			n.Attribute = append(n.Attribute, a)
			continue
		}
		given := c.attributes[a.GetRefAttrName()]
		if given == nil {
			continue // the caller leaves the attribute at the operator's default
		}
		n.Attribute = append(n.Attribute, &onnxpb.AttributeProto{Name: a.Name, Type: given.Type, // shares the data
			F: given.F, I: given.I, S: given.S, T: given.T, G: given.G, SparseTensor: given.SparseTensor, Tp: given.Tp,
			Floats: given.Floats, Ints: given.Ints, Strings: given.Strings, Tensors: given.Tensors, Graphs: given.Graphs})
	}
	return n
}
