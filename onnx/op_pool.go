package onnx

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("MaxPool", 1, lowerMaxPool)
	register("AveragePool", 7, realOnly(lowerAveragePool))
	register("GlobalMaxPool", 1, lowerGlobalMaxPool)
	register("GlobalAveragePool", 1, realOnly(lowerGlobalAveragePool))
}

func (n *node) pool() (value, *window, error) {
	if err := n.arity(1, 1); err != nil {
		return value{}, nil, err
	}
	x := n.in[0]
	in, err := n.spatial(x)
	if err != nil {
		return value{}, nil, err
	}
	kernel, err := n.kernelAttr(len(in))
	if err != nil {
		return value{}, nil, err
	}
	win, err := n.readWindow(in, kernel)
	return x, win, err
}

// windows gathers the elements under each position of the window: the result is
// [N, C, out…, K]. A position outside of x repeats another one of its window if
// pad is nil, else it becomes the fill value 0.
func (n *node) windows(x value, win *window, zeroPad bool) (value, error) {
	rank := len(win.out)
	taps := tensor.Shape(win.kernel).Size()
	shape := append(append(tensor.Shape{}, x.shape[:2]...), win.out...)
	shape = append(shape, taps)
	if err := n.budget.checkShape(shape, n.name); err != nil {
		return value{}, err
	}
	if err := n.budget.spendRewire(shape.Size(), n.name); err != nil {
		return value{}, err
	}
	strides := x.shape.Strides()
	index := make([]int32, 0, shape.Size())
	at, tap := make([]int, rank), make([]int, rank)
	planes, perPlane := x.shape[0]*x.shape[1], strides[1]
	for plane := range planes {
		clear(at)
		for range win.out.Size() {
			first, start := int32(-1), len(index)
			clear(tap)
			for range taps {
				offset := win.offset(at, tap, x.shape[2:], strides[2:])
				j := int32(-1)
				if offset >= 0 {
					j = int32(plane*perPlane + offset)
					if first < 0 {
						first = j
					}
				}
				index = append(index, j)
				increment(tap, win.kernel)
			}
			if first < 0 && !zeroPad {
				return value{}, n.unsupportedf("one of its windows lies wholly in the padding")
			}
			for k := start; !zeroPad && k < len(index); k++ {
				if index[k] < 0 {
					index[k] = first
				}
			}
			increment(at, win.out)
		}
	}
	return n.rewire(shape, index, 0, x)
}

// offset is where tap of the window at position at reads within a plane, or -1
// in the padding.
func (w *window) offset(at, tap []int, in tensor.Shape, strides []int) int {
	offset := 0
	for i := range in {
		p := at[i]*w.stride[i] + tap[i]*w.dilation[i] - w.begin[i]
		if p < 0 || p >= in[i] {
			return -1
		}
		offset += p * strides[i]
	}
	return offset
}

// increment steps a multi-index in row-major order.
func increment(at []int, shape []int) {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] < shape[i] {
			return
		}
		at[i] = 0
	}
}

func lowerMaxPool(n *node) ([]value, error) {
	x, win, err := n.pool()
	if err != nil {
		return nil, err
	}
	if len(n.proto.Output) > 1 && n.proto.Output[1] != "" {
		return nil, n.unsupportedf("its second result, the indices, is not supported")
	}
	n.ignoreAttrs("storage_order") // only concerns the indices
	all, err := n.windows(x, win, false)
	if err != nil {
		return nil, err
	}
	return one(n.emit(graph.Max{}, all.shape[:len(all.shape)-1], x.dtype, all))
}

func lowerAveragePool(n *node) ([]value, error) {
	x, win, err := n.pool()
	if err != nil {
		return nil, err
	}
	countPad, err := n.boolAttr("count_include_pad", false)
	if err != nil {
		return nil, err
	}
	// The windows may cover different numbers of elements; where all cover the
	// same the factor belongs to the weights.
	factors, err := n.averageFactors(x.shape[2:], win, countPad)
	if err != nil {
		return nil, err
	}
	weight := 1.0
	if allEqual(factors.Floats, factors.Floats[0]) {
		weight, factors = factors.Floats[0], nil
	}
	y, err := n.windowSum(x, win, weight)
	if err != nil || factors == nil {
		return one(y, err)
	}
	return one(n.affineOf(y, factors, nil))
}

// averageFactors returns one over the number of elements under each window.
func (n *node) averageFactors(in tensor.Shape, win *window, countPad bool) (*Tensor, error) {
	if err := n.budget.checkShape(win.out, n.name); err != nil {
		return nil, err
	}
	if err := n.budget.spendConst(win.out.Size(), n.name); err != nil {
		return nil, err
	}
	perAxis := make([][]int, len(in))
	for i, d := range in {
		if err := n.budget.spendMACs(n.name, win.out[i], win.kernel[i]); err != nil {
			return nil, err
		}
		from, to := 0, d
		if countPad {
			from, to = -win.begin[i], d+win.end[i]
		}
		perAxis[i] = make([]int, win.out[i])
		for o := range perAxis[i] {
			for k := range win.kernel[i] {
				if p := o*win.stride[i] + k*win.dilation[i] - win.begin[i]; p >= from && p < to {
					perAxis[i][o]++
				}
			}
			if perAxis[i][o] == 0 {
				return nil, n.unsupportedf("one of its windows lies wholly in the padding")
			}
		}
	}
	t := &Tensor{DType: Double, Shape: win.out, Floats: make([]float64, win.out.Size())}
	at := make([]int, len(in))
	for k := range t.Floats {
		count := 1
		for i := range at {
			count *= perAxis[i][at[i]]
		}
		t.Floats[k] = 1 / float64(count)
		increment(at, win.out)
	}
	return t, nil
}

// windowSum is weight times the sum under each window.
func (n *node) windowSum(x value, win *window, weight float64) (value, error) {
	taps := tensor.Shape(win.kernel).Size()
	if len(win.out) > 2 {
		all, err := n.windows(x, win, true)
		if err != nil {
			return value{}, err
		}
		return n.sumLast(all, weight)
	}
	channels := x.shape[1]
	if err := n.budget.checkShape(append(tensor.Shape{channels, 1}, win.kernel...), n.name); err != nil {
		return value{}, err
	}
	if err := n.budget.spendConst(channels*taps, n.name); err != nil {
		return value{}, err
	}
	data := make([]float64, channels*taps)
	for i := range data {
		data[i] = weight
	}
	w, err := n.weights(append(tensor.Shape{channels, 1}, win.kernel...), data)
	if err != nil {
		return value{}, err
	}
	return n.convolve(x, w, win, channels)
}

// sumLast is weight times the sum over the last axis.
func (n *node) sumLast(x value, weight float64) (value, error) {
	rank := len(x.shape)
	taps, rows := x.shape[rank-1], x.shape[:rank-1].Size()
	flat, err := n.reshape(x, tensor.Shape{rows, taps})
	if err != nil {
		return value{}, err
	}
	if flat, err = n.transpose(flat, []int{1, 0}); err != nil {
		return value{}, err
	}
	if flat, err = n.reshape(flat, tensor.Shape{1, taps, rows, 1}); err != nil {
		return value{}, err
	}
	if err := n.budget.spendConst(taps, n.name); err != nil {
		return value{}, err
	}
	data := make([]float64, taps)
	for i := range data {
		data[i] = weight
	}
	w, err := n.weights(tensor.Shape{1, taps, 1, 1}, data)
	if err != nil {
		return value{}, err
	}
	y, err := n.emit(pointwise(1), tensor.Shape{1, 1, rows, 1}, x.dtype, flat, w)
	if err != nil {
		return value{}, err
	}
	return n.reshape(y, x.shape[:rank-1])
}

// globalWindow is one window over all of the spatial axes.
func (n *node) globalWindow() (value, *window, error) {
	if err := n.arity(1, 1); err != nil {
		return value{}, nil, err
	}
	x := n.in[0]
	in, err := n.spatial(x)
	if err != nil {
		return value{}, nil, err
	}
	win := &window{kernel: in, stride: make([]int, len(in)), dilation: make([]int, len(in)),
		begin: make([]int, len(in)), end: make([]int, len(in)), out: make(tensor.Shape, len(in))}
	for i := range in {
		win.stride[i], win.dilation[i], win.out[i] = 1, 1, 1
	}
	return x, win, nil
}

func lowerGlobalMaxPool(n *node) ([]value, error) {
	x, win, err := n.globalWindow()
	if err != nil {
		return nil, err
	}
	planes, err := n.reshape(x, tensor.Shape{x.shape[0], x.shape[1], win.area()})
	if err != nil {
		return nil, err
	}
	y, err := n.emit(graph.Max{}, x.shape[:2], x.dtype, planes)
	if err != nil {
		return nil, err
	}
	return one(n.reshape(y, append(x.shape[:2].Clone(), win.out...)))
}

func (w *window) area() int { return tensor.Shape(w.kernel).Size() }

func lowerGlobalAveragePool(n *node) ([]value, error) {
	x, win, err := n.globalWindow()
	if err != nil {
		return nil, err
	}
	return one(n.windowSum(x, win, 1/float64(win.area())))
}
