package plonk_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/scs"

	"github.com/zkml-go/zkml/prover/srs"
)

// randomCircuit is a program of additions and multiplications over its words, drawn
// from a seed, with commitments along the way whose challenges enter what follows.
type randomCircuit struct {
	Public []frontend.Variable `gnark:",public"`
	Secret []frontend.Variable

	seed        uint64
	steps       int
	commitments int
}

// Define implements frontend.Circuit.
func (c *randomCircuit) Define(api frontend.API) error {
	r := rand.New(rand.NewPCG(c.seed, 1))
	words := append(append([]frontend.Variable{}, c.Public...), c.Secret...)
	pick := func() frontend.Variable { return words[r.IntN(len(words))] }
	commits := make(map[int]bool)
	for len(commits) < c.commitments {
		commits[r.IntN(c.steps)] = true
	}
	for step := range c.steps {
		switch r.IntN(4) {
		case 0:
			words = append(words, api.Add(pick(), api.Mul(pick(), r.IntN(1000)-500)))
		case 1:
			words = append(words, api.Mul(pick(), pick()))
		case 2:
			words = append(words, api.Sub(api.Mul(pick(), pick()), pick(), r.IntN(9)))
		case 3:
			b := api.IsZero(pick())
			words = append(words, api.Select(b, pick(), pick()))
		}
		if commits[step] {
			challenge, err := api.(frontend.Committer).Commit(words[len(words)-1], pick(), words[r.IntN(len(words))])
			if err != nil {
				return err
			}
			words = append(words, challenge)
		}
	}
	return nil
}

// draw returns the circuit's words, small, large, negative and zero.
func (c *randomCircuit) draw() *randomCircuit {
	r := rand.New(rand.NewPCG(c.seed, 2))
	out := &randomCircuit{Public: make([]frontend.Variable, len(c.Public)), Secret: make([]frontend.Variable, len(c.Secret))}
	for _, words := range [][]frontend.Variable{out.Public, out.Secret} {
		for i := range words {
			v := new(big.Int).SetUint64(r.Uint64() >> r.IntN(64))
			switch r.IntN(4) {
			case 0:
				v.Mul(v, v).Mul(v, v)
			case 1:
				v.Neg(v)
			}
			words[i] = v.Mod(v, ecc.BN254.ScalarField())
		}
	}
	return out
}

// subject is a circuit with its key and a witness that satisfies it.
type subject struct {
	system  *cs.SparseR1CS
	pk      *gnark.ProvingKey
	witness witness.Witness
}

// public returns the public words.
func (s *subject) public() fr.Vector {
	return s.witness.Vector().(fr.Vector)[:len(s.system.Public)]
}

// newSubject compiles a circuit and sets it up with the development string.
func newSubject(t testing.TB, circuit, assignment frontend.Circuit) *subject {
	t.Helper()
	compiled, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, circuit, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{system: compiled.(*cs.SparseR1CS)}
	rows := s.system.GetNbConstraints() + len(s.system.Public)
	str := development(t, rows)
	if s.pk, _, err = gnark.Setup(s.system, kzg.SRS(str.Canonical()), kzg.SRS(str.InLagrangeForm())); err != nil {
		t.Fatal(err)
	}
	if s.witness, err = frontend.NewWitness(assignment, ecc.BN254.ScalarField()); err != nil {
		t.Fatal(err)
	}
	return s
}

// random returns the subject of a seed: commitments, public words and rows vary.
func random(t testing.TB, seed uint64) *subject {
	r := rand.New(rand.NewPCG(seed, 0))
	circuit := &randomCircuit{seed: seed, commitments: r.IntN(4)}
	circuit.Public = make([]frontend.Variable, r.IntN(51))
	circuit.Secret = make([]frontend.Variable, 1+r.IntN(5))
	least, most := 3, 12
	log := least + r.IntN(most-least+1)
	circuit.steps = max(4, (1<<log-len(circuit.Public)*2)/3-r.IntN(1<<log/8+1))
	return newSubject(t, circuit, circuit.draw())
}

var (
	stringsMu    sync.Mutex
	development_ = make(map[int]*srs.SRS)
)

// development returns the development string for a circuit of so many rows.
func development(t testing.TB, rows int) *srs.SRS {
	t.Helper()
	log := 1
	for 1<<log < rows {
		log++
	}
	stringsMu.Lock()
	defer stringsMu.Unlock()
	if development_[log] == nil {
		s, err := srs.Development(log)
		if err != nil {
			t.Fatal(err)
		}
		development_[log] = s
	}
	return development_[log]
}

func describe(s *subject) string {
	return fmt.Sprintf("%d rows, %d public words, %d commitments", s.system.GetNbConstraints(), len(s.system.Public), len(s.pk.Vk.Qcp))
}
