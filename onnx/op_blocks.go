package onnx

import "github.com/zkml-go/zkml/tensor"

func init() {
	register("DepthToSpace", 1, lowerDepthToSpace)
	register("SpaceToDepth", 1, lowerSpaceToDepth)
}

// blocks checks the operand of the operators between depth and space.
func (n *node) blocks() (x value, size int, err error) {
	if err := n.arity(1, 1); err != nil {
		return x, 0, err
	}
	x = n.in[0]
	b, err := n.intAttr("blocksize", 0)
	if err != nil {
		return x, 0, err
	}
	if len(x.shape) != 4 || b < 1 || b > 1<<12 {
		return x, 0, n.malformedf("operand of shape %v and block size %d, expected four axes and a size of at least 1", x.shape, b)
	}
	return x, int(b), nil
}

func lowerDepthToSpace(n *node) ([]value, error) {
	x, b, err := n.blocks()
	if err != nil {
		return nil, err
	}
	mode, err := n.stringAttr("mode", "DCR")
	if err != nil {
		return nil, err
	}
	s := x.shape
	if s[1]%(b*b) != 0 {
		return nil, n.malformedf("%d channels don't divide into blocks of %d", s[1], b*b)
	}
	split, perm := tensor.Shape{s[0], b, b, s[1] / (b * b), s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}
	if mode == "CRD" {
		split, perm = tensor.Shape{s[0], s[1] / (b * b), b, b, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}
	} else if mode != "DCR" {
		return nil, n.malformedf("attribute \"mode\" is %q", mode)
	}
	return one(n.permute(x, split, perm, tensor.Shape{s[0], s[1] / (b * b), s[2] * b, s[3] * b}))
}

func lowerSpaceToDepth(n *node) ([]value, error) {
	x, b, err := n.blocks()
	if err != nil {
		return nil, err
	}
	s := x.shape
	if s[2]%b != 0 || s[3]%b != 0 {
		return nil, n.malformedf("spatial axes of shape %v don't divide by %d", s, b)
	}
	split := tensor.Shape{s[0], s[1], s[2] / b, b, s[3] / b, b}
	return one(n.permute(x, split, []int{0, 3, 5, 1, 2, 4}, tensor.Shape{s[0], s[1] * b * b, s[2] / b, s[3] / b}))
}

// permute reshapes, transposes and reshapes again.
func (n *node) permute(x value, split tensor.Shape, perm []int, result tensor.Shape) (value, error) {
	v, err := n.reshape(x, split)
	if err != nil {
		return value{}, err
	}
	if v, err = n.transpose(v, perm); err != nil {
		return value{}, err
	}
	return n.reshape(v, result)
}
