package onnx

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Conv", 1, realOnly(lowerConv))
	register("ConvTranspose", 1, realOnly(lowerConvTranspose))
}

// convOperands checks what Conv and ConvTranspose have in common: operands X
// [N, C, …], W with two axes and the kernel, optionally B.
func (n *node) convOperands() (kernel []int, group int, err error) {
	if err := n.arity(2, 3); err != nil {
		return nil, 0, err
	}
	x, w := n.in[0], n.in[1]
	in, err := n.spatial(x)
	if err != nil {
		return nil, 0, err
	}
	if len(in) > 2 {
		return nil, 0, n.unsupportedf("it has %d spatial axes, at most 2 are supported", len(in))
	}
	if !w.constant() {
		return nil, 0, n.unsupportedf("its weights (%q) are not a constant", n.proto.Input[1])
	}
	if n.given(2) && !n.in[2].constant() {
		return nil, 0, n.unsupportedf("its bias (%q) is not a constant", n.proto.Input[2])
	}
	if len(w.shape) != len(x.shape) || w.shape.Size() == 0 {
		return nil, 0, n.malformedf("weights have shape %v, an operand of shape %v needs %d axes", w.shape, x.shape, len(x.shape))
	}
	kernel = w.shape[2:]
	if n.hasAttr("kernel_shape") {
		said, err := n.kernelAttr(len(in))
		if err != nil {
			return nil, 0, err
		}
		if !tensor.Shape(said).Equal(kernel) {
			return nil, 0, n.malformedf("attribute \"kernel_shape\" is %v, the weights have shape %v", said, w.shape)
		}
	}
	g, err := n.intAttr("group", 1)
	if err != nil {
		return nil, 0, err
	}
	if g < 1 || g > int64(x.shape[1]) || x.shape[1]%int(g) != 0 {
		return nil, 0, n.malformedf("%d channels don't divide into %d groups", x.shape[1], g)
	}
	return kernel, int(g), nil
}

// bias appends operand 2 to the operands of a linear map with outputs channels.
func (n *node) bias(operands []value, outputs int) ([]value, error) {
	if !n.given(2) {
		return operands, nil
	}
	b := n.in[2]
	if !b.shape.Equal(tensor.Shape{outputs}) {
		return nil, n.malformedf("bias has shape %v, expected [%d]", b.shape, outputs)
	}
	return append(operands, b), nil
}

func lowerConv(n *node) ([]value, error) {
	kernel, group, err := n.convOperands()
	if err != nil {
		return nil, err
	}
	x, w := n.in[0], n.in[1]
	outputs := w.shape[0]
	if w.shape[1]*group != x.shape[1] || outputs%group != 0 {
		return nil, n.malformedf("weights of shape %v don't fit %d channels in %d groups", w.shape, x.shape[1], group)
	}
	win, err := n.readWindow(x.shape[2:], kernel)
	if err != nil {
		return nil, err
	}
	return one(n.convolve(x, w, win, group))
}

// convolve emits the linear map of a window over x with weights
// [O, C/group, …], adds operand 2 as the bias, and gives the result its shape.
func (n *node) convolve(x, w value, win *window, group int) (value, error) {
	in := x.shape[2:]
	op := graph.Linear{Groups: group, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	for i := range in {
		op.Stride[i], op.Dilation[i] = win.stride[i], win.dilation[i]
		op.Pad[i], op.Pad[i+2] = win.begin[i], win.fitEnd(i, in[i])
	}
	result := append(tensor.Shape{x.shape[0], w.shape[0]}, win.out...)
	flatX, err := n.reshape(x, twoAxes(x.shape))
	if err != nil {
		return value{}, err
	}
	flatW, err := n.reshape(w, twoAxes(w.shape))
	if err != nil {
		return value{}, err
	}
	operands, err := n.bias([]value{flatX, flatW}, w.shape[0])
	if err != nil {
		return value{}, err
	}
	y, err := n.emit(op, twoAxes(result), x.dtype, operands...)
	if err != nil {
		return value{}, err
	}
	return n.reshape(y, result)
}

// lowerConvTranspose lowers a transposed convolution to a convolution with the
// kernel reversed, over x with stride-1 zeros between its elements.
func lowerConvTranspose(n *node) ([]value, error) {
	kernel, group, err := n.convOperands()
	if err != nil {
		return nil, err
	}
	x, w := n.in[0], n.in[1]
	if w.shape[0] != x.shape[1] {
		return nil, n.malformedf("weights of shape %v don't fit %d channels", w.shape, x.shape[1])
	}
	win, err := n.transposedWindow(x.shape[2:], kernel)
	if err != nil {
		return nil, err
	}
	// Weights [C, O/group, …] to [O, C/group, …], reversed along the kernel.
	perGroup := w.shape[1]
	grouped, err := n.reshape(w, append(tensor.Shape{group, w.shape[0] / group, perGroup}, kernel...))
	if err != nil {
		return nil, err
	}
	strides := grouped.shape.Strides()
	axes := []axisMap{
		regular(group, strides[0]),
		regular(perGroup, strides[2]),
		regular(w.shape[0]/group, strides[1]),
	}
	for i, k := range kernel {
		stride := strides[3+i]
		axes = append(axes, axisMap{k, func(j int) int { return (k - 1 - j) * stride }})
	}
	flipped, err := n.view(grouped, axes, 0)
	if err != nil {
		return nil, err
	}
	if flipped, err = n.reshape(flipped, append(tensor.Shape{perGroup * group, w.shape[0] / group}, kernel...)); err != nil {
		return nil, err
	}
	stuffed, err := n.stuff(x, win)
	if err != nil {
		return nil, err
	}
	return one(n.convolve(stuffed, flipped, win, group))
}

// transposedWindow derives the padding of a transposed convolution. Its result
// has the window's out; begin and end are what a plain convolution over the
// stuffed operand must pad, which may be negative; stride is still that of the
// transposed convolution.
func (n *node) transposedWindow(in tensor.Shape, kernel []int) (*window, error) {
	rank := len(in)
	w := &window{kernel: kernel, out: make(tensor.Shape, rank), begin: make([]int, rank), end: make([]int, rank)}
	var err error
	if w.stride, err = n.spatialAttr("strides", rank, 1, 1); err != nil {
		return nil, err
	}
	if w.dilation, err = n.spatialAttr("dilations", rank, 1, 1); err != nil {
		return nil, err
	}
	pads, err := n.spatialAttr("pads", 2*rank, 0, 0)
	if err != nil {
		return nil, err
	}
	extra, err := n.spatialAttr("output_padding", rank, 0, 0)
	if err != nil {
		return nil, err
	}
	want, err := n.spatialAttr("output_shape", rank, 0, 0)
	if err != nil {
		return nil, err
	}
	auto, err := n.stringAttr("auto_pad", "NOTSET")
	if err != nil {
		return nil, err
	}
	switch auto {
	case "NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER":
	default:
		return nil, n.malformedf("attribute \"auto_pad\" is %q", auto)
	}
	for i, d := range in {
		span := extent(kernel[i], w.dilation[i])
		full := (d-1)*w.stride[i] + span + extra[i] // without padding
		begin, end := pads[i], pads[rank+i]
		switch {
		case n.hasAttr("output_shape"):
			begin, end = splitPadding(full-want[i], auto == "SAME_UPPER")
		case auto == "SAME_UPPER" || auto == "SAME_LOWER":
			begin, end = splitPadding(full-d*w.stride[i], auto == "SAME_UPPER")
		case auto == "VALID":
			begin, end = 0, 0
		}
		w.out[i] = full - begin - end
		if w.out[i] < 1 || int64(full) > maxExtent {
			return nil, n.malformedf("the result would have %d elements along spatial axis %d", w.out[i], i)
		}
		w.begin[i] = span - 1 - begin
		w.end[i] = span - 1 - end + extra[i]
	}
	return w, nil
}

// splitPadding divides the padding that a given result size needs. A result
// larger than the convolution gives grows at its end.
func splitPadding(total int, upper bool) (begin, end int) {
	switch {
	case total < 0:
		return 0, total
	case upper:
		return total / 2, total - total/2
	}
	return total - total/2, total / 2
}

// stuff puts stride-1 zeros between the elements of x and applies negative
// padding, and leaves in win what the convolution over the result must do.
func (n *node) stuff(x value, win *window) (value, error) {
	axes := identityAxes(x.shape)
	same := true
	for i := range win.stride {
		size, stride, step := x.shape[2+i], axes[2+i], win.stride[i]
		cropped := min(win.begin[i], 0)
		length := (size-1)*step + 1 + cropped + min(win.end[i], 0)
		if length < 1 {
			return value{}, n.unsupportedf("its padding is larger than its result")
		}
		same = same && length == size && step == 1
		axes[2+i] = axisMap{length, func(j int) int {
			j -= cropped
			if j%step != 0 {
				return -1
			}
			return stride.at(j / step)
		}}
		win.stride[i], win.begin[i], win.end[i] = 1, max(win.begin[i], 0), max(win.end[i], 0)
	}
	if same {
		return x, nil
	}
	return n.view(x, axes, 0)
}
