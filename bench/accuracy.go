package main

import (
	"math"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/quantize"
)

// accuracyInputs is the number of inputs on which answers are compared with the float
// model's, where there are as many that calibration hasn't seen.
const accuracyInputs = 20

// accuracy compares answers with the float model's on the same inputs.
type accuracy struct {
	Inputs   int     `json:"inputs"`
	MaxError float64 `json:"max_error"` // the largest distance in any element
	Range    float64 `json:"range"`     // the largest less the smallest float answer
}

// add takes one answer beside the float model's into account.
func (a *accuracy) add(lo, hi *float64, got, want []float64) {
	for i, v := range want {
		a.MaxError = max(a.MaxError, math.Abs(got[i]-v))
		*lo, *hi = min(*lo, v), max(*hi, v)
	}
	a.Range = *hi - *lo
}

// float returns the float model's answer, its outputs one behind the other.
func (s *subject) float(in zkml.Inputs) ([]float64, error) {
	values, err := s.model.Graph.Run(in)
	if err != nil {
		return nil, err
	}
	var all []float64
	for _, out := range s.model.Graph.Outputs {
		all = append(all, values[out.ID].Data...)
	}
	return all, nil
}

// accuracy runs the integer program of one inference, with which the circuit agrees in
// every bit.
func (s *subject) accuracy() (*accuracy, error) {
	p := s.model.Inference()
	a, lo, hi := new(accuracy), math.Inf(1), math.Inf(-1)
	for _, in := range s.heldOut[:min(accuracyInputs, len(s.heldOut))] {
		want, err := s.float(in)
		if err != nil {
			return nil, err
		}
		reals := make([][]float64, len(p.Inputs))
		for i, id := range p.Inputs {
			reals[i] = in[p.Nodes[id].Op.(quantize.Input).Name].Data
		}
		integers, err := p.QuantizeInputs(reals, quantize.Clamp)
		if err != nil {
			return nil, err
		}
		values, err := p.Run(integers)
		if err != nil {
			return nil, err
		}
		var got []float64
		for _, out := range p.Outputs {
			got = append(got, p.Dequantize(out.ID, values[out.ID])...)
		}
		a.Inputs++
		a.add(&lo, &hi, got, want)
	}
	return a, nil
}
