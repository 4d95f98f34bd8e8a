package evm_test

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
)

// TestTemplateProjects holds projects with each template, for models of several kinds, to
// forge fmt, and in make evm builds and tests them without a warning.
func TestTemplateProjects(t *testing.T) {
	shown := func(name string, n int) circuit.Public {
		return circuit.Public{Name: name, Shape: tensor.Shape{1, n}, Lo: -128, Bits: 8, Scale: quantize.PowerOfTwo(3)}
	}
	hashed := shown("features", 10)
	hashed.Visibility = circuit.Hashed
	private := fixture.Digits()
	private.Inputs[0].Visibility = circuit.Private
	private.Outputs = nil
	private.Weights = circuit.Private
	noOutput := mixed()
	noOutput.Outputs[0].Visibility = circuit.Private
	score := &circuit.Manifest{Version: 1, Model: "score", Weights: circuit.Fixed, Inputs: []circuit.Public{hashed}, Outputs: []circuit.Public{shown("score", 1)}}
	hiddenWeights := *score
	hiddenWeights.Weights = circuit.Hashed
	game := &circuit.Manifest{Version: 1, Model: "game", Weights: circuit.Fixed, Inputs: []circuit.Public{shown("board", 9)}, Outputs: []circuit.Public{shown("scores", 9)}}
	for _, c := range []struct {
		name, template string
		kind           kind
		manifest       *circuit.Manifest
		// build says that the project differs from others in more than its names.
		build bool
	}{
		{"labels", "inference", kinds[0], fixture.Digits(), true},
		{"no output", "inference", kinds[0], noOutput, true},
		{"private", "inference", kinds[1], private, true},
		{"score", "lending", kinds[0], score, true},
		{"score of hidden weights", "lending", kinds[1], &hiddenWeights, false},
		{"answer", "eligibility", kinds[0], score, true},
		{"game", "tictactoe", kinds[0], game, true},
	} {
		t.Run(c.template+" "+c.name, func(t *testing.T) {
			words, err := fixture.Words(c.manifest, fr.NewElement(5), source(1))
			if err != nil {
				t.Fatal(err)
			}
			vk, proof, err := fixture.Make(c.manifest, 1, words)
			if err != nil {
				t.Fatal(err)
			}
			o := options(c.kind, vk, proof)
			o.Template = c.template
			files, err := solidity.Export(vk, o)
			if err != nil {
				t.Fatal(err)
			}
			f := newForge(t, files)
			f.mustRun(t, "fmt", "--check")
			if *full && c.build {
				f.mustRun(t, "test", "--offline", "--use", f.solc)
			}
		})
	}
}
