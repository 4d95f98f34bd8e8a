package onnx

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Gemm", 7, lowerGemm)
	register("MatMul", 1, func(n *node) ([]value, error) {
		if err := n.arity(2, 2); err != nil {
			return nil, err
		}
		return one(n.matMul(n.in[0], n.in[1]))
	})
}

// pointwise is the linear map of a fully connected layer.
func pointwise(groups int) graph.Linear {
	return graph.Linear{Groups: groups, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
}

// lowerGemm lowers alpha·A'·B' + beta·C, where ' is an optional transposition.
func lowerGemm(n *node) ([]value, error) {
	if err := n.arity(2, 3); err != nil {
		return nil, err
	}
	alpha, err := n.floatAttr("alpha", 1)
	if err != nil {
		return nil, err
	}
	beta, err := n.floatAttr("beta", 1)
	if err != nil {
		return nil, err
	}
	for i, name := range []string{"transA", "transB"} {
		if len(n.in[i].shape) != 2 {
			return nil, n.malformedf("operand %d has shape %v, expected a matrix", i, n.in[i].shape)
		}
		trans, err := n.boolAttr(name, false)
		if err != nil {
			return nil, err
		}
		if trans {
			if n.in[i], err = n.transpose(n.in[i], []int{1, 0}); err != nil {
				return nil, err
			}
		}
	}
	y, err := n.matMul(n.in[0], n.in[1])
	if err != nil {
		return nil, err
	}
	if y, err = n.scaleBy(y, alpha); err != nil {
		return nil, err
	}
	if !n.given(2) || beta == 0 {
		return one(y, nil)
	}
	shape, err := n.broadcastShape(y.shape, n.in[2].shape)
	if err != nil {
		return nil, err
	}
	if !shape.Equal(y.shape) {
		return nil, n.malformedf("operand C of shape %v doesn't fit a product of shape %v", n.in[2].shape, y.shape)
	}
	c, err := n.scaleBy(n.in[2], beta)
	if err != nil {
		return nil, err
	}
	return one(n.add2(y, c, 1, 1))
}

// product holds the shapes of a batched matrix product [batch, M, K]·[batch, K, N].
type product struct {
	batch   tensor.Shape // broadcast
	m, k, n int
	result  tensor.Shape // as ONNX has it, without the axes of vector operands
}

// matMul is numpy's matmul: vectors are promoted to matrices, leading axes are
// broadcast.
func (n *node) matMul(a, b value) (value, error) {
	if a.dtype != b.dtype {
		return value{}, n.malformedf("operands have types %v and %v, expected one type", a.dtype, b.dtype)
	}
	if len(a.shape) == 0 || len(b.shape) == 0 {
		return value{}, n.malformedf("an operand is a scalar")
	}
	var p product
	var err error
	keepM, keepN := len(a.shape) > 1, len(b.shape) > 1
	if !keepM {
		if a, err = n.reshape(a, tensor.Shape{1, a.shape[0]}); err != nil {
			return value{}, err
		}
	}
	if !keepN {
		if b, err = n.reshape(b, tensor.Shape{b.shape[0], 1}); err != nil {
			return value{}, err
		}
	}
	ra, rb := len(a.shape), len(b.shape)
	p.m, p.k, p.n = a.shape[ra-2], a.shape[ra-1], b.shape[rb-1]
	if b.shape[rb-2] != p.k {
		return value{}, n.malformedf("matrices of shapes %v and %v don't fit", a.shape, b.shape)
	}
	if p.batch, err = n.broadcastShape(a.shape[:ra-2], b.shape[:rb-2]); err != nil {
		return value{}, err
	}
	p.result = p.batch.Clone()
	if keepM {
		p.result = append(p.result, p.m)
	}
	if keepN {
		p.result = append(p.result, p.n)
	}
	if err := n.budget.checkShape(append(p.batch.Clone(), p.m, p.n), n.name); err != nil {
		return value{}, err
	}
	var y value
	switch {
	case p.k == 0 || p.result.Size() == 0:
		return value{}, n.unsupportedf("it multiplies matrices without elements")
	case a.constant() && b.constant():
		y, err = n.matMulComputed(a, b, p)
	case b.constant():
		y, err = n.matMulRight(a, b, p)
	case a.constant():
		y, err = n.matMulLeft(a, b, p)
	default:
		y, err = n.matMulComputed(a, b, p)
	}
	if err != nil {
		return value{}, err
	}
	return n.reshape(y, p.result)
}

// matMulComputed multiplies two computed tensors.
func (n *node) matMulComputed(a, b value, p product) (value, error) {
	batch := p.batch.Size()
	var err error
	for i, v := range []*value{&a, &b} {
		rows, cols := p.m, p.k
		if i == 1 {
			rows, cols = p.k, p.n
		}
		if *v, err = n.broadcast(*v, append(p.batch.Clone(), rows, cols)); err != nil {
			return value{}, err
		}
		if *v, err = n.reshape(*v, tensor.Shape{batch, rows, cols}); err != nil {
			return value{}, err
		}
	}
	return n.emit(graph.MatMul{}, tensor.Shape{batch, p.m, p.n}, a.dtype, a, b)
}

// matMulRight multiplies by constant matrices from the right. The rows of a lie
// on the axis H of a Linear; with several constant matrices each is a group.
func (n *node) matMulRight(a, b value, p product) (value, error) {
	groups := b.shape[:len(b.shape)-2].Size()
	rows := p.m
	var err error
	if groups == 1 { // one matrix: the batch of a is more rows
		rows *= p.batch.Size()
		if a, err = n.broadcast(a, append(p.batch.Clone(), p.m, p.k)); err != nil {
			return value{}, err
		}
	} else {
		groups = p.batch.Size()
		if a, err = n.broadcast(a, append(p.batch.Clone(), p.m, p.k)); err != nil {
			return value{}, err
		}
		if b, err = n.broadcast(b, append(p.batch.Clone(), p.k, p.n)); err != nil {
			return value{}, err
		}
	}
	if a, err = n.reshape(a, tensor.Shape{groups, rows, p.k}); err != nil {
		return value{}, err
	}
	if a, err = n.transpose(a, []int{0, 2, 1}); err != nil {
		return value{}, err
	}
	if b, err = n.reshape(b, tensor.Shape{groups, p.k, p.n}); err != nil {
		return value{}, err
	}
	if b, err = n.transpose(b, []int{0, 2, 1}); err != nil {
		return value{}, err
	}
	x, err := n.reshape(a, tensor.Shape{1, groups * p.k, rows, 1})
	if err != nil {
		return value{}, err
	}
	w, err := n.reshape(b, tensor.Shape{groups * p.n, p.k, 1, 1})
	if err != nil {
		return value{}, err
	}
	y, err := n.emit(pointwise(groups), tensor.Shape{1, groups * p.n, rows, 1}, a.dtype, x, w)
	if err != nil {
		return value{}, err
	}
	if y, err = n.reshape(y, tensor.Shape{groups, p.n, rows}); err != nil {
		return value{}, err
	}
	return n.transpose(y, []int{0, 2, 1})
}

// matMulLeft multiplies by constant matrices from the left: the columns of b lie
// on the axis H, which is where row-major order has them.
func (n *node) matMulLeft(a, b value, p product) (value, error) {
	batch := p.batch.Size()
	groups := 1
	var err error
	if a.shape[:len(a.shape)-2].Size() != 1 {
		groups = batch
		if a, err = n.broadcast(a, append(p.batch.Clone(), p.m, p.k)); err != nil {
			return value{}, err
		}
	}
	if b, err = n.broadcast(b, append(p.batch.Clone(), p.k, p.n)); err != nil {
		return value{}, err
	}
	x, err := n.reshape(b, tensor.Shape{batch / groups, groups * p.k, p.n, 1})
	if err != nil {
		return value{}, err
	}
	w, err := n.reshape(a, tensor.Shape{groups * p.m, p.k, 1, 1})
	if err != nil {
		return value{}, err
	}
	return n.emit(pointwise(groups), tensor.Shape{batch / groups, groups * p.m, p.n, 1}, b.dtype, x, w)
}
