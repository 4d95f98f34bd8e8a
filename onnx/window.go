package onnx

import (
	"github.com/zkml-go/zkml/tensor"
)

// window is a sliding window over the spatial axes of a tensor [N, C, …], one
// entry per axis in each list.
type window struct {
	kernel, stride, dilation, begin, end []int // begin and end are the padding
	ceil                                 bool
	out                                  tensor.Shape // spatial dimensions of the result
}

// extent is the number of positions that a dilated kernel spans.
func extent(kernel, dilation int) int { return (kernel-1)*dilation + 1 }

// readWindow reads strides, dilations, pads and auto_pad of a node over the
// spatial dimensions in, with a known kernel, and derives the result's.
func (n *node) readWindow(in tensor.Shape, kernel []int) (*window, error) {
	rank := len(in)
	w := &window{kernel: kernel}
	var err error
	if w.stride, err = n.spatialAttr("strides", rank, 1, 1); err != nil {
		return nil, err
	}
	if w.dilation, err = n.spatialAttr("dilations", rank, 1, 1); err != nil {
		return nil, err
	}
	for i, k := range kernel {
		if int64(extent(k, w.dilation[i])) > maxExtent {
			return nil, n.malformedf("a window of %d elements at distance %d is larger than %d", k, w.dilation[i], maxExtent)
		}
	}
	pads, err := n.spatialAttr("pads", 2*rank, 0, -maxExtent)
	if err != nil {
		return nil, err
	}
	w.begin, w.end = pads[:rank], pads[rank:]
	auto, err := n.stringAttr("auto_pad", "NOTSET")
	if err != nil {
		return nil, err
	}
	if n.hasAttr("ceil_mode") {
		if w.ceil, err = n.boolAttr("ceil_mode", false); err != nil {
			return nil, err
		}
	}
	switch auto {
	case "NOTSET", "":
		for i := range rank {
			if w.begin[i] < 0 || w.end[i] < 0 {
				return nil, n.unsupportedf("its padding is negative")
			}
		}
	case "VALID", "SAME_UPPER", "SAME_LOWER":
		w.autoPad(auto, in)
	default:
		return nil, n.malformedf("attribute \"auto_pad\" is %q", auto)
	}
	return w, n.windowOut(w, in)
}

// autoPad sets the padding that makes the result ⌈in/stride⌉ long, or none.
func (w *window) autoPad(kind string, in tensor.Shape) {
	for i, d := range in {
		w.begin[i], w.end[i] = 0, 0
		if kind == "VALID" {
			continue
		}
		out := (d + w.stride[i] - 1) / w.stride[i]
		total := max(0, (out-1)*w.stride[i]+extent(w.kernel[i], w.dilation[i])-d)
		w.begin[i], w.end[i] = total/2, total-total/2
		if kind == "SAME_LOWER" {
			w.begin[i], w.end[i] = w.end[i], w.begin[i]
		}
	}
	w.ceil = false
}

// windowOut sets the spatial dimensions of the result.
func (n *node) windowOut(w *window, in tensor.Shape) error {
	w.out = make(tensor.Shape, len(in))
	for i, d := range in {
		room := d + w.begin[i] + w.end[i] - extent(w.kernel[i], w.dilation[i])
		if room < 0 {
			return n.malformedf("a window of %d elements doesn't fit a padded axis of %d", extent(w.kernel[i], w.dilation[i]), d+w.begin[i]+w.end[i])
		}
		out := room/w.stride[i] + 1
		if w.ceil && room%w.stride[i] != 0 {
			out++
			// The last window must begin in the tensor or in the padding before it.
			if (out-1)*w.stride[i] >= d+w.begin[i] {
				out--
			}
		}
		w.out[i] = out
	}
	return nil
}

// fitEnd returns a padding at the end, not below zero, with which a linear map,
// which rounds down, has as many results as the window.
func (w *window) fitEnd(i, in int) int {
	need := (w.out[i]-1)*w.stride[i] + extent(w.kernel[i], w.dilation[i]) - in - w.begin[i]
	return max(need, 0)
}

// kernelAttr reads kernel_shape, which must be there.
func (n *node) kernelAttr(rank int) ([]int, error) {
	if !n.hasAttr("kernel_shape") {
		return nil, n.malformedf("attribute \"kernel_shape\" is missing")
	}
	kernel, err := n.spatialAttr("kernel_shape", rank, 1, 1)
	if err != nil {
		return nil, err
	}
	return kernel, n.budget.checkShape(kernel, n.name)
}

// spatial checks that x is [N, C, …] with at least one spatial axis and returns
// the spatial dimensions.
func (n *node) spatial(x value) (tensor.Shape, error) {
	if len(x.shape) < 3 {
		return nil, n.malformedf("operand has shape %v, expected a batch axis, a channel axis and spatial axes", x.shape)
	}
	if x.shape.Size() == 0 {
		return nil, n.unsupportedf("its operand of shape %v has no elements", x.shape)
	}
	return x.shape[2:], nil
}

// twoAxes appends a spatial axis of size 1 to a tensor that has only one.
func twoAxes(s tensor.Shape) tensor.Shape {
	out := s.Clone()
	for len(out) < 4 {
		out = append(out, 1)
	}
	return out
}
