package quantize

import (
	"fmt"
	"math"

	"github.com/zkml-go/zkml/graph"
)

// SettingsVersion is the version of the JSON form of Settings.
const SettingsVersion = 1

// Settings are all the choices that turn one float graph into one integer
// program. Calibration finds them from samples; with them, quantizing again needs
// no samples and gives the same program.
type Settings struct {
	Version int `json:"version"`
	// TableBits is the width of the range checks that the scales are fitted to:
	// a rescaled tensor whose proven range has at most 2^TableBits values is not
	// clamped. It also limits the domain of a lookup.
	TableBits int `json:"table_bits"`
	// Margin widens a calibrated range before it becomes a clamp: 0.25 adds a
	// quarter on either side.
	Margin float64 `json:"margin"`
	// HiddenWeights makes trained weights Params instead of Consts.
	HiddenWeights bool `json:"hidden_weights,omitempty"`
	// Inputs in the model's declared order.
	Inputs []InputSettings `json:"inputs"`
	// Tensors are the widths and ranges of the computed tensors, by node.
	Tensors []TensorSettings `json:"tensors"`
	// Weights are the widths of the weights, by the node that uses them.
	Weights []WeightSettings `json:"weights"`
	// Params declare the hidden weights, in the order in which they are made. Other
	// weights of the same architecture that fit give the same program, their values
	// apart.
	Params []ParamSettings `json:"params,omitempty"`
}

// ParamSettings declare a tensor of hidden weights: Bits for its interval, sign
// included, and the power of two of its scale.
type ParamSettings struct {
	Name string `json:"name"`
	Bits int    `json:"bits"`
	Exp  int    `json:"exp"`
}

// InputSettings declare an input's encoding: its integers are [Lo, Lo + 2^Bits)
// and stand for multiples of Scale.
type InputSettings struct {
	Name  string `json:"name"`
	Bits  int    `json:"bits"`
	Lo    int64  `json:"lo"`
	Scale Scale  `json:"scale"`
}

// TensorSettings say how a computed tensor is represented where it has to be
// narrow: Bits for the range [Lo, Hi] that the samples showed.
type TensorSettings struct {
	Node graph.ID `json:"node"`
	Name string   `json:"name"`
	Bits int      `json:"bits"`
	Lo   float64  `json:"lo"`
	Hi   float64  `json:"hi"`
}

// WeightSettings give the width of a node's constant coefficients.
type WeightSettings struct {
	Node graph.ID `json:"node"`
	Name string   `json:"name"`
	Bits int      `json:"bits"`
}

// The limits of settings.
const (
	MinWidth = 2
	MaxWidth = 20

	maxParamExp = 1 << 9
)

// check compares the settings with the graph that they are for.
func (s *Settings) check(g *graph.Graph) error {
	if s.Version != SettingsVersion {
		return fmt.Errorf("settings have version %d, want %d", s.Version, SettingsVersion)
	}
	if s.TableBits < 4 || s.TableBits > 16 || !(s.Margin >= 0 && s.Margin <= 100) {
		return fmt.Errorf("settings with table_bits %d and margin %v", s.TableBits, s.Margin)
	}
	if len(s.Inputs) != len(g.Inputs) {
		return fmt.Errorf("settings for %d inputs, the model has %d", len(s.Inputs), len(g.Inputs))
	}
	for i, id := range g.Inputs {
		in := s.Inputs[i]
		if op, ok := g.Nodes[id].Op.(graph.Input); !ok || op.Name != in.Name {
			return fmt.Errorf("settings for input %q, the model's input %d has another name", in.Name, i)
		}
		if in.Scale.Num == 0 || in.Scale.Den == 0 || in.Scale.Num >= maxOdd || in.Scale.Den >= maxOdd || in.Scale.Exp < -60 || in.Scale.Exp > 60 {
			return fmt.Errorf("input %q: scale %+v", in.Name, in.Scale)
		}
		if in.Bits < 1 || in.Bits > MaxBits || absolute(in.Lo) >= MaxMagnitude/2 {
			return fmt.Errorf("input %q: %d bits from %d", in.Name, in.Bits, in.Lo)
		}
	}
	for _, t := range s.Tensors {
		if t.Node < 0 || int(t.Node) >= len(g.Nodes) || t.Bits < MinWidth || t.Bits > MaxWidth || !(t.Lo <= t.Hi) || math.IsInf(t.Lo, 0) || math.IsInf(t.Hi, 0) {
			return fmt.Errorf("settings of tensor %d (%q) don't fit the model", t.Node, t.Name)
		}
	}
	for _, w := range s.Weights {
		if w.Node < 0 || int(w.Node) >= len(g.Nodes) || w.Bits < MinWidth || w.Bits > MaxWidth {
			return fmt.Errorf("settings of the weights of %d (%q) don't fit the model", w.Node, w.Name)
		}
	}
	for _, p := range s.Params {
		if p.Bits < 1 || p.Bits > MaxBits || p.Exp < -maxParamExp || p.Exp > maxParamExp {
			return fmt.Errorf("settings of the hidden weights %q: %d bits, unit 2^%d", p.Name, p.Bits, -p.Exp)
		}
	}
	return nil
}
