package solidity_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// one is the unit of integers.
var one = quantize.Scale{Num: 1, Den: 1}

// scored is a manifest that the lending and eligibility templates take.
func scored() *circuit.Manifest {
	return &circuit.Manifest{
		Version: 1, Model: "score", Weights: circuit.Fixed,
		Inputs:  []circuit.Public{{Name: "features", Visibility: circuit.Hashed, Shape: tensor.Shape{1, 10}, Bits: 8, Scale: one}},
		Outputs: []circuit.Public{{Name: "score", Shape: tensor.Shape{1, 1}, Lo: -100, Bits: 16, Scale: quantize.Scale{Num: 1, Den: 3, Exp: 7}}},
	}
}

// answered is a manifest that the eligibility template takes.
func answered() *circuit.Manifest {
	m := scored()
	m.Outputs[0] = circuit.Public{Name: "answer", Shape: tensor.Shape{1}, Bits: 1, Scale: one, Labels: []string{"no", "yes"}}
	return m
}

// nine is a manifest that the game takes.
func nine() *circuit.Manifest {
	return &circuit.Manifest{
		Version: 1, Model: "game", Weights: circuit.Fixed,
		Inputs:  []circuit.Public{{Name: "board", Shape: tensor.Shape{9}, Lo: -64, Bits: 8, Scale: quantize.PowerOfTwo(6)}},
		Outputs: []circuit.Public{{Name: "scores", Shape: tensor.Shape{9}, Lo: -1000, Bits: 20, Scale: quantize.PowerOfTwo(9)}},
	}
}

// TestTemplates exports each template for models that fit, and is refused it for others.
func TestTemplates(t *testing.T) {
	change := func(m *circuit.Manifest, by func(m *circuit.Manifest)) *circuit.Manifest {
		by(m)
		return m
	}
	for _, c := range []struct {
		name, template string
		manifest       *circuit.Manifest
		// contract is the file that comes of it, refused the reason that none does.
		contract, refused string
	}{
		{"any model", "inference", loan(), "src/LastAnswer.sol", ""},
		{"a score", "lending", scored(), "src/LendingConsumer.sol", ""},
		{"an answer", "eligibility", answered(), "src/EligibilityConsumer.sol", ""},
		{"a board", "tictactoe", nine(), "src/TicTacToeConsumer.sol", ""},
		{"no template of that name", "loans", scored(), "", "there is none of that name"},
		{"a shown input", "lending", change(scored(), func(m *circuit.Manifest) { m.Inputs[0].Visibility = circuit.Shown }), "", "exactly one input"},
		{"an answer of more than a bit", "eligibility", scored(), "", "more than yes or no"},
		{"a private input", "eligibility", change(answered(), func(m *circuit.Manifest) { m.Inputs[0].Visibility = circuit.Private }), "", "exactly one input"},
		{"a second input", "lending", change(scored(), func(m *circuit.Manifest) {
			m.Inputs = append(m.Inputs, circuit.Public{Name: "wish", Shape: tensor.Shape{1}, Bits: 8, Scale: one})
		}), "", "exactly one input"},
		{"a hidden score", "lending", change(scored(), func(m *circuit.Manifest) { m.Outputs[0].Visibility = circuit.Hashed }), "", "exactly one output"},
		{"two scores", "lending", change(scored(), func(m *circuit.Manifest) { m.Outputs[0].Shape = tensor.Shape{1, 2} }), "", "of one element"},
		{"private weights", "lending", change(scored(), func(m *circuit.Manifest) { m.Weights = circuit.Private }), "", "weights are private"},
		{"a unit out of this world", "lending", change(scored(), func(m *circuit.Manifest) { m.Outputs[0].Scale = quantize.PowerOfTwo(-300) }), "", "fit a word"},
		{"a hashed board", "tictactoe", change(nine(), func(m *circuit.Manifest) { m.Inputs[0].Visibility = circuit.Hashed }), "", "nine elements"},
		{"a board of four", "tictactoe", change(nine(), func(m *circuit.Manifest) { m.Inputs[0].Shape = tensor.Shape{4} }), "", "nine elements"},
		{"hidden weights of a game", "tictactoe", change(nine(), func(m *circuit.Manifest) { m.Weights = circuit.Private }), "", "weights are hidden"},
		{"no negative stone", "tictactoe", change(nine(), func(m *circuit.Manifest) { m.Inputs[0].Lo = 0 }), "", "no integers for 1 and -1"},
		{"no stone in the unit", "tictactoe", change(nine(), func(m *circuit.Manifest) { m.Inputs[0].Scale = quantize.PowerOfTwo(-1) }), "", "no integers for 1 and -1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			vk, _ := prove(t, c.manifest, fr.NewElement(1))
			o := solidity.Options{Template: c.template, AllowDevelopmentSRS: true, AllowUnboundWeights: true}
			if c.manifest.Weights == circuit.Hashed {
				o.WeightsDigest = &weights
			}
			files, err := solidity.Export(vk, o)
			if c.refused != "" {
				var refused *solidity.TemplateError
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error %v, want a TemplateError with %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(files.Paths(), c.contract) || !strings.Contains(string(files["README.md"]), c.contract) {
				t.Errorf("%s isn't among the files, or not in the README", c.contract)
			}
		})
	}
}

// TestRealValues has the factors with which a contract turns integers into real values.
func TestRealValues(t *testing.T) {
	for want, scale := range map[string]quantize.Scale{
		"q * 1000000000000000000;":          one,
		"q * 7812500000000000;":             quantize.PowerOfTwo(7),
		"q * 8000000000000000000;":          quantize.PowerOfTwo(-3),
		"q * 7812500000000000 / 3;":         {Num: 1, Den: 3, Exp: 7},
		"q * 200000000000000000 / 51;":      {Num: 1, Den: 255},
		"q * 3814697265625 / 274877906944;": quantize.PowerOfTwo(56),
	} {
		m := scored()
		m.Outputs[0].Scale = scale
		vk, _ := prove(t, m, fr.NewElement(1))
		files, err := solidity.Export(vk, solidity.Options{Template: "inference", AllowDevelopmentSRS: true})
		if err != nil {
			t.Fatal(err)
		}
		if text := string(files["src/InferenceConsumer.sol"]); !strings.Contains(text, want) {
			_, line, _ := strings.Cut(text, "return q")
			line, _, _ = strings.Cut(line, "\n")
			t.Errorf("unit %v: return q%s, want %s", scale, line, want)
		}
	}
}
