package onnx

import (
	"github.com/zkml-go/zkml/internal/onnxpb"
)

// attributes are those of one node. Reading one marks it, so that an attribute
// that no lowering function knows isn't silently ignored.
type attributes struct {
	byName map[string]*onnxpb.AttributeProto
	read   map[string]bool
	order  []string
}

func (n *node) readAttributes() error {
	n.attrs = attributes{byName: map[string]*onnxpb.AttributeProto{}, read: map[string]bool{}}
	for _, a := range n.proto.Attribute {
		if n.attrs.byName[a.GetName()] != nil {
			return n.malformedf("attribute %q is given twice", a.GetName())
		}
		if a.GetRefAttrName() != "" {
			return n.malformedf("attribute %q refers to %q, which only a function body may", a.GetName(), a.GetRefAttrName())
		}
		n.attrs.byName[a.GetName()] = a
		n.attrs.order = append(n.attrs.order, a.GetName())
	}
	return nil
}

func (a *attributes) unread() string {
	for _, name := range a.order {
		if !a.read[name] {
			return name
		}
	}
	return ""
}

// attr returns an attribute of the given type, or nil.
func (n *node) attr(name string, kind onnxpb.AttributeProto_AttributeType) (*onnxpb.AttributeProto, error) {
	a := n.attrs.byName[name]
	if a == nil {
		return nil, nil
	}
	n.attrs.read[name] = true
	if a.Type != nil && a.GetType() != kind {
		return nil, n.malformedf("attribute %q has type %v, expected %v", name, a.GetType(), kind)
	}
	return a, nil
}

// ignoreAttrs marks attributes as read that don't matter to the result.
func (n *node) ignoreAttrs(names ...string) {
	for _, name := range names {
		n.attrs.read[name] = true
	}
}

func (n *node) intAttr(name string, otherwise int64) (int64, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_INT)
	if a == nil {
		return otherwise, err
	}
	return a.GetI(), nil
}

func (n *node) boolAttr(name string, otherwise bool) (bool, error) {
	fallback := int64(0)
	if otherwise {
		fallback = 1
	}
	v, err := n.intAttr(name, fallback)
	if err == nil && v != 0 && v != 1 {
		err = n.malformedf("attribute %q is %d, expected 0 or 1", name, v)
	}
	return v != 0, err
}

func (n *node) floatAttr(name string, otherwise float64) (float64, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_FLOAT)
	if a == nil {
		return otherwise, err
	}
	return float64(a.GetF()), nil
}

func (n *node) stringAttr(name, otherwise string) (string, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_STRING)
	if a == nil {
		return otherwise, err
	}
	return string(a.GetS()), nil
}

// intsAttr returns nil if the attribute is absent.
func (n *node) intsAttr(name string) ([]int64, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_INTS)
	if a == nil {
		return nil, err
	}
	if a.Ints == nil {
		return []int64{}, nil
	}
	return a.Ints, nil
}

func (n *node) hasAttr(name string) bool { return n.attrs.byName[name] != nil }

// spatialAttr reads a list with one entry per spatial axis, each from lowest to
// maxExtent.
func (n *node) spatialAttr(name string, count int, otherwise, lowest int64) ([]int, error) {
	list, err := n.intsAttr(name)
	if err != nil {
		return nil, err
	}
	out := make([]int, count)
	if list == nil {
		for i := range out {
			out[i] = int(otherwise)
		}
		return out, nil
	}
	if len(list) != count {
		return nil, n.malformedf("attribute %q has %d entries, expected %d", name, len(list), count)
	}
	for i, v := range list {
		if v < lowest || v > maxExtent {
			return nil, n.malformedf("attribute %q has the entry %d, expected %d to %d", name, v, lowest, maxExtent)
		}
		out[i] = int(v)
	}
	return out, nil
}
