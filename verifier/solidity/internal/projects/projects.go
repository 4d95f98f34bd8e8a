// Package projects exports Foundry projects of every kind, for what has to hold for all
// of them: that they are formatted, that the linter and the analyser find nothing, that
// they build and pass their tests.
package projects

import (
	"fmt"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
)

// Project is a project of one kind.
type Project struct {
	// Name says what is particular about it, and is a folder's name.
	Name string
	// Template and Standalone are the export's options.
	Template   string
	Standalone bool
	// Manifest says what the model shows and hides.
	Manifest *circuit.Manifest
	// Alike says that its code differs from another one's in names only.
	Alike bool
}

// All returns a project of every kind: with zkml's verifier and with gnark's; each
// template; all, some and no tensors shown; labels; weights of each visibility.
func All() []Project {
	private := fixture.Digits()
	private.Inputs[0].Visibility = circuit.Private
	private.Outputs = nil
	private.Weights = circuit.Private
	noOutput := Mixed()
	noOutput.Outputs[0].Visibility = circuit.Private
	labelled := fixture.Digits()
	labelled.Weights = circuit.Hashed
	hashed := small("features", 10)
	hashed.Visibility = circuit.Hashed
	score := &circuit.Manifest{Version: 1, Model: "score", Weights: circuit.Fixed, Inputs: []circuit.Public{hashed}, Outputs: []circuit.Public{small("score", 1)}}
	answer := *score
	answer.Outputs = []circuit.Public{{Name: "answer", Shape: tensor.Shape{1}, Bits: 1, Scale: quantize.PowerOfTwo(0), Labels: []string{"no", "yes"}}}
	many := fixture.Digits() // more outputs than a contract would store
	many.Outputs[0].Shape = tensor.Shape{100}
	hiddenWeights := *score
	hiddenWeights.Weights = circuit.Hashed
	game := &circuit.Manifest{Version: 1, Model: "game", Weights: circuit.Fixed, Inputs: []circuit.Public{small("board", 9)}, Outputs: []circuit.Public{small("scores", 9)}}
	return []Project{
		{Name: "labels", Manifest: labelled},
		{Name: "mixed", Manifest: Mixed()},
		{Name: "private", Manifest: private},
		{Name: "standalone-labels", Standalone: true, Manifest: labelled},
		{Name: "standalone-no-output", Standalone: true, Manifest: noOutput},
		{Name: "standalone-private", Standalone: true, Manifest: private},
		{Name: "inference-labels", Template: "inference", Manifest: fixture.Digits()},
		{Name: "inference-no-output", Template: "inference", Manifest: noOutput},
		{Name: "inference-many-outputs", Template: "inference", Manifest: many, Alike: true},
		{Name: "inference-private", Template: "inference", Standalone: true, Manifest: private},
		{Name: "lending-score", Template: "lending", Manifest: score},
		{Name: "lending-hidden-weights", Template: "lending", Manifest: &hiddenWeights, Alike: true},
		{Name: "lending-standalone", Template: "lending", Standalone: true, Manifest: score, Alike: true},
		{Name: "eligibility-answer", Template: "eligibility", Manifest: &answer},
		{Name: "eligibility-standalone", Template: "eligibility", Standalone: true, Manifest: &answer, Alike: true},
		{Name: "tictactoe-game", Template: "tictactoe", Manifest: game},
		{Name: "tictactoe-standalone", Template: "tictactoe", Standalone: true, Manifest: game, Alike: true},
	}
}

// Mixed is a manifest with tensors of several widths, signed and unsigned, shown and
// hashed, and hashed weights.
func Mixed() *circuit.Manifest {
	one := quantize.Scale{Num: 1, Den: 1}
	return &circuit.Manifest{
		Version: 1, Model: "mixed", Weights: circuit.Hashed,
		Inputs: []circuit.Public{
			{Name: "image", Shape: tensor.Shape{2, 20}, Bits: 8, Scale: one},
			{Name: "sensor", Shape: tensor.Shape{25}, Lo: -1500, Bits: 12, Scale: one},
			{Name: "secret", Visibility: circuit.Hashed, Shape: tensor.Shape{3}, Bits: 8, Scale: one},
		},
		Outputs: []circuit.Public{{Name: "score", Shape: tensor.Shape{1}, Lo: 10, Bits: 7, Scale: one}},
	}
}

// small is a tensor of n signed bytes in eighths.
func small(name string, n int) circuit.Public {
	return circuit.Public{Name: name, Shape: tensor.Shape{1, n}, Lo: -128, Bits: 8, Scale: quantize.PowerOfTwo(3)}
}

// Export proves random words for the manifest, by a circuit that computes nothing, and
// exports the project with that proof for its sample.
func (p *Project) Export() (solidity.Files, error) {
	words, err := fixture.Words(p.Manifest, fr.NewElement(5), Source(1))
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", p.Name, err)
	}
	vk, proof, err := fixture.Make(p.Manifest, 1, words)
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", p.Name, err)
	}
	o := solidity.Options{
		Standalone: p.Standalone, Template: p.Template, Sample: proof,
		AllowDevelopmentSRS: true, AllowUnboundWeights: true,
	}
	if p.Manifest.Weights == circuit.Hashed {
		o.WeightsDigest = &proof.Words[len(proof.Words)-1]
	}
	files, err := solidity.Export(vk, o)
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", p.Name, err)
	}
	return files, nil
}

// Source returns the random numbers of fixture.Words, the least and the greatest
// more often than chance has them.
func Source(seed uint64) func(bits int) uint64 {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(bits int) uint64 {
		switch r.IntN(6) {
		case 0:
			return 0
		case 1:
			return 1<<bits - 1
		}
		return r.Uint64() >> (64 - bits)
	}
}
