package onnx

import (
	"fmt"
	"strings"

	"github.com/zkml-go/zkml/internal/onnxpb"
)

// model is a decoded file whose names and structure have been checked.
type model struct {
	budget   *budget
	graph    *onnxpb.GraphProto
	opset    int
	nodes    []*onnxpb.NodeProto // those that the outputs depend on, operands first
	weights  map[string]*Tensor  // initializers
	external *externalData
	info     *Info
}

func checkModel(p *onnxpb.ModelProto, opts Options, b *budget) (*model, error) {
	m := &model{budget: b, graph: p.Graph, info: &Info{Operators: map[string]int{}}}
	if p.Graph == nil {
		return nil, m.format("", "", "the file has no graph", "is it an ONNX model?")
	}
	m.info.Producer = strings.TrimSpace(p.GetProducerName() + " " + p.GetProducerVersion())
	if err := m.readOpset(p); err != nil {
		return nil, err
	}
	if err := m.inlineFunctions(p); err != nil {
		return nil, err
	}
	if n := int64(len(p.Graph.Node)); n > b.limits.Nodes {
		return nil, &LimitError{File: b.file, What: "nodes", Limit: b.limits.Nodes}
	}
	if len(p.Graph.SparseInitializer) > 0 {
		return nil, m.format("", p.Graph.SparseInitializer[0].GetValues().GetName(), "sparse initializers are not supported", "export the model with dense weights")
	}
	if len(p.Graph.Output) == 0 {
		return nil, m.format("", "", "the graph has no output", "")
	}
	producers, err := m.checkNames()
	if err != nil {
		return nil, err
	}
	if err := m.sortNodes(producers); err != nil {
		return nil, err
	}
	m.external = &externalData{dir: opts.Dir}
	return m, m.decodeWeights()
}

func (m *model) format(node, value, problem, hint string) error {
	return &FormatError{File: m.budget.file, Node: node, Value: value, Problem: problem, Hint: hint}
}

// readOpset finds the version of ONNX's own operator set; other domains don't
// matter here, because their nodes are reported one by one.
func (m *model) readOpset(p *onnxpb.ModelProto) error {
	if len(p.OpsetImport) == 0 {
		return m.format("", "", "the file doesn't say which version of ONNX's operator set it uses", "is it an ONNX model?")
	}
	version := int64(MaxOpset) // if the model only uses other domains, any will do
	found := false
	for _, o := range p.OpsetImport {
		if !ownDomain(o.GetDomain()) {
			continue
		}
		if found && version != o.GetVersion() {
			return m.format("", "", "the file names two versions of ONNX's operator set", "")
		}
		version, found = o.GetVersion(), true
	}
	if version < MinOpset || version > MaxOpset {
		return &OpsetError{File: m.budget.file, Found: version, Lowest: MinOpset, Above: MaxOpset + 1}
	}
	m.opset = int(version)
	m.info.Opset = m.opset
	return nil
}

func ownDomain(domain string) bool { return domain == "" || domain == "ai.onnx" }

// nodeName is the node's name, or its operator and first output.
func nodeName(n *onnxpb.NodeProto) string {
	if n.GetName() != "" {
		return n.GetName()
	}
	for _, out := range n.Output {
		if out != "" {
			return n.GetOpType() + " " + out
		}
	}
	return n.GetOpType()
}

// checkNames checks that every value is defined once and that every use has a
// definition. It returns the index of the node that computes each value; inputs
// and initializers have -1.
func (m *model) checkNames() (map[string]int, error) {
	g := m.graph
	producers := map[string]int{}
	for _, t := range g.Initializer {
		if t.GetName() == "" {
			return nil, m.format("", "", "an initializer has no name", "")
		}
		if _, dup := producers[t.GetName()]; dup {
			return nil, m.format("", t.GetName(), "two initializers have this name", "")
		}
		producers[t.GetName()] = -1
	}
	inputs := map[string]bool{}
	for _, in := range g.Input {
		if in.GetName() == "" {
			return nil, m.format("", "", "an input has no name", "")
		}
		if inputs[in.GetName()] {
			return nil, m.format("", in.GetName(), "two inputs have this name", "")
		}
		inputs[in.GetName()] = true
		producers[in.GetName()] = -1
	}
	for i, n := range g.Node {
		for _, out := range n.Output {
			if out == "" {
				continue
			}
			if _, dup := producers[out]; dup {
				return nil, m.format(nodeName(n), out, "this value is already defined elsewhere", "")
			}
			producers[out] = i
		}
	}
	for _, n := range g.Node {
		for _, in := range n.Input {
			if _, ok := producers[in]; in != "" && !ok {
				return nil, m.format(nodeName(n), in, "the node reads a value that nothing defines", "")
			}
		}
	}
	outputs := map[string]bool{}
	for _, out := range g.Output {
		if _, ok := producers[out.GetName()]; !ok || out.GetName() == "" {
			return nil, m.format("", out.GetName(), "the graph answers with a value that nothing defines", "")
		}
		if outputs[out.GetName()] {
			return nil, m.format("", out.GetName(), "two outputs have this name", "")
		}
		outputs[out.GetName()] = true
	}
	return producers, nil
}

// sortNodes keeps the nodes that the outputs depend on, in an order in which
// operands come first. ONNX demands that order of the file; a file in another
// order is read as well, a cycle is refused.
func (m *model) sortNodes(producers map[string]int) error {
	const (
		unseen = iota
		open
		done
	)
	state := make([]byte, len(m.graph.Node))
	type frame struct{ node, next int }
	var stack []frame
	visit := func(value string) error {
		root, ok := producers[value]
		if !ok || root < 0 || state[root] == done {
			return nil
		}
		state[root] = open
		stack = append(stack[:0], frame{node: root})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			n := m.graph.Node[top.node]
			if top.next == len(n.Input) {
				state[top.node] = done
				m.nodes = append(m.nodes, n)
				stack = stack[:len(stack)-1]
				continue
			}
			in := n.Input[top.next]
			top.next++
			child := producers[in]
			if in == "" || child < 0 || state[child] == done {
				continue
			}
			if state[child] == open {
				var names []string
				for i := len(stack) - 1; i >= 0; i-- {
					names = append(names, fmt.Sprintf("%q", nodeName(m.graph.Node[stack[i].node])))
					if stack[i].node == child {
						break
					}
				}
				if len(names) > 8 {
					names = append(names[:8], "…")
				}
				return m.format(nodeName(n), in, "the node depends on its own result, through "+strings.Join(names, ", "), "a model may not have a cycle")
			}
			state[child] = open
			stack = append(stack, frame{node: child})
		}
		return nil
	}
	for _, out := range m.graph.Output {
		if err := visit(out.GetName()); err != nil {
			return err
		}
	}
	// Nodes that no output depends on still may not form a cycle.
	kept := len(m.nodes)
	for _, n := range m.graph.Node {
		for _, in := range n.Input {
			if err := visit(in); err != nil {
				return err
			}
		}
	}
	m.nodes = m.nodes[:kept]
	for _, n := range m.nodes {
		m.info.Operators[n.GetOpType()]++
	}
	return nil
}

// decodeWeights decodes the initializers that something reads.
func (m *model) decodeWeights() error {
	used := map[string]bool{}
	for _, n := range m.nodes {
		for _, in := range n.Input {
			used[in] = true
		}
	}
	for _, out := range m.graph.Output {
		used[out.GetName()] = true
	}
	m.weights = map[string]*Tensor{}
	for _, p := range m.graph.Initializer {
		if !used[p.GetName()] {
			continue
		}
		t, err := decodeTensor(p, m.budget, m.external)
		if err != nil {
			return err
		}
		m.weights[p.GetName()] = t
	}
	return nil
}
