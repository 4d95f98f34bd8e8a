// Package reusable makes what the tests of the reusable verifier need: random circuits
// with their proofs, gnark's own contract for each of their keys, and one-field
// changes of calls. The tests that run them are here too.
package reusable

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/scs"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// Shape says what a random circuit is like.
type Shape struct {
	// Words and Commitments are the numbers of public words and BSB22 commitments.
	Words, Commitments int
	// Gates is the number of random gates.
	Gates int
	// Linear leaves out all products, so that a selector is zero and its commitment
	// the point at infinity.
	Linear bool
	// Seed chooses the gates.
	Seed uint64
}

// randomCircuit computes random gates on its wires and commits to some of them.
type randomCircuit struct {
	Public []frontend.Variable `gnark:",public"`
	Secret []frontend.Variable
	shape  Shape
}

// secrets is the number of secret wires.
const secrets = 5

// Define implements frontend.Circuit.
func (c *randomCircuit) Define(api frontend.API) error {
	r := rand.New(rand.NewPCG(c.shape.Seed, 1))
	wires := append(append([]frontend.Variable{}, c.Public...), c.Secret...)
	pick := func() frontend.Variable { return wires[r.IntN(len(wires))] }
	committed := 0
	for i := range c.shape.Gates {
		if committed < c.shape.Commitments && i >= (committed+1)*c.shape.Gates/(c.shape.Commitments+1) {
			list := make([]frontend.Variable, 1+r.IntN(6))
			for j := range list {
				list[j] = pick()
			}
			challenge, err := api.(frontend.Committer).Commit(list...)
			if err != nil {
				return err
			}
			wires = append(wires, challenge)
			committed++
		}
		var out frontend.Variable
		switch {
		case c.shape.Linear || r.IntN(3) > 0:
			out = api.Add(api.Mul(pick(), 1+r.IntN(9)), pick(), r.IntN(5))
		default:
			out = api.Mul(pick(), pick())
		}
		wires = append(wires, out)
	}
	return nil
}

// Model is a random circuit with its keys.
type Model struct {
	Shape  Shape
	VK     *prover.VerifyingKey
	pk     *prover.ProvingKey
	system constraint.ConstraintSystem
}

// strings caches the development strings by size.
var strings sync.Map

func development(log int) (*srs.SRS, error) {
	if s, ok := strings.Load(log); ok {
		return s.(*srs.SRS), nil
	}
	s, err := srs.Development(log)
	if err == nil {
		strings.Store(log, s)
	}
	return s, err
}

// NewModel compiles a random circuit and sets it up with the development string.
func NewModel(shape Shape) (*Model, error) {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, &randomCircuit{
		Public: make([]frontend.Variable, shape.Words), Secret: make([]frontend.Variable, secrets), shape: shape,
	})
	if err != nil {
		return nil, fmt.Errorf("random circuit %+v: %w", shape, err)
	}
	s, err := development(prover.DomainLog(system))
	if err != nil {
		return nil, fmt.Errorf("random circuit %+v: %w", shape, err)
	}
	pk, vk, err := prover.Setup(system, manifest(shape.Words), s)
	if err != nil {
		return nil, fmt.Errorf("random circuit %+v: %w", shape, err)
	}
	return &Model{Shape: shape, VK: vk, pk: pk, system: system}, nil
}

// manifest describes any number of public words: the context, and digests of inputs,
// which may be any field elements.
func manifest(words int) *circuit.Manifest {
	m := &circuit.Manifest{Version: circuit.FormatVersion, Model: "random", Weights: circuit.Fixed}
	for i := range words - 1 {
		m.Inputs = append(m.Inputs, circuit.Public{
			Name: fmt.Sprintf("x%d", i), Visibility: circuit.Hashed, Shape: tensor.Shape{1}, Bits: 8, Scale: quantize.Scale{Num: 1, Den: 1},
		})
	}
	return m
}

// Sample is a proof in the forms that the three verifiers take.
type Sample struct {
	Model *Model
	Proof *prover.Proof
	// Item is the proof as verify takes it, BatchItem with its digest appended.
	Item, BatchItem solidity.Item
}

// Prove makes a proof of random words, the extreme ones more often than chance has
// them.
func (m *Model) Prove(seed uint64) (*Sample, error) {
	r := rand.New(rand.NewPCG(seed, 2))
	element := func() (e fr.Element) {
		switch r.IntN(8) {
		case 0:
			return fr.Element{}
		case 1:
			e.SetOne()
			return *e.Neg(&e)
		}
		hash := sha256.Sum256(fmt.Append(nil, r.Uint64()))
		e.SetBytes(hash[:])
		return e
	}
	assignment := &randomCircuit{Public: make([]frontend.Variable, m.Shape.Words), Secret: make([]frontend.Variable, secrets)}
	for i := range assignment.Public {
		word := element()
		if i == 0 { // a context is below 2^248
			bytes := word.Bytes()
			word.SetBytes(bytes[1:])
		}
		assignment.Public[i] = word
	}
	for i := range assignment.Secret {
		assignment.Secret[i] = element()
	}
	witness, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	if err != nil {
		return nil, fmt.Errorf("witness of %+v: %w", m.Shape, err)
	}
	proof, err := prover.Prove(context.Background(), m.system, m.pk, witness)
	if err != nil {
		return nil, fmt.Errorf("proof of %+v: %w", m.Shape, err)
	}
	s := &Sample{Model: m, Proof: proof}
	if s.Item, err = solidity.NewItem(m.VK, proof); err != nil {
		return nil, err
	}
	if s.BatchItem, err = solidity.BatchItem(m.VK, proof); err != nil {
		return nil, err
	}
	return s, nil
}

// VerifyFile verifies a proof as the command does: from the bytes of its file. Words
// are the texts in it, which may be of numbers that aren't field elements.
func VerifyFile(vk *prover.VerifyingKey, id prover.ModelID, words [][32]byte, raw []byte) error {
	canonical := make([]fr.Element, len(words))
	markers := map[string][]byte{}
	for i := range words {
		if canonical[i].SetBytesCanonical(words[i][:]) != nil {
			// A marker stands where the number is to be.
			marker := sha256.Sum256(fmt.Append(nil, "marker", i))
			canonical[i].SetBytes(marker[:])
			markers[prover.Word(canonical[i]).String()] = fmt.Appendf(nil, "0x%x", words[i])
		}
	}
	p := &prover.Proof{ModelID: id, Words: canonical, Raw: raw}
	if values, err := prover.DecodeWords(vk.Manifest(), canonical); err == nil {
		p.Values = values
	}
	var file bytes.Buffer
	if _, err := p.WriteTo(&file); err != nil {
		return err
	}
	text := file.Bytes()
	for marker, number := range markers {
		text = bytes.ReplaceAll(text, []byte(marker), number)
	}
	read, err := prover.ReadProof(bytes.NewReader(text))
	if err != nil {
		return err
	}
	_, err = prover.Verify(vk, read, prover.Expectation{AllowDevelopmentSRS: true})
	return err
}
