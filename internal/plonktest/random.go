package plonktest

import (
	"math/big"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
)

// random is a program of additions, multiplications and selections over its words,
// drawn from a seed, with commitments along the way whose challenges enter what
// follows.
type random struct {
	Public []frontend.Variable `gnark:",public"`
	Secret []frontend.Variable

	seed        uint64
	steps       int
	commitments int
}

// Define implements frontend.Circuit.
func (c *random) Define(api frontend.API) error {
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
			words = append(words, api.Select(api.IsZero(pick()), pick(), pick()))
		}
		if commits[step] {
			challenge, err := api.(frontend.Committer).Commit(c.Secret[0], words[len(words)-1], pick())
			if err != nil {
				return err
			}
			words = append(words, challenge)
		}
	}
	return nil
}

// assignment draws the words: small, large, negative.
func (c *random) assignment() *random {
	r := rand.New(rand.NewPCG(c.seed, 2))
	a := &random{Public: make([]frontend.Variable, len(c.Public)), Secret: make([]frontend.Variable, len(c.Secret))}
	for _, words := range [][]frontend.Variable{a.Public, a.Secret} {
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
	return a
}

// Random returns the subject of a seed: 0 to 3 commitments and 0 to 50 public words in a
// domain of 2^3 to 2^12. Forty seeds in a row have every number of commitments in every
// domain. The same seed gives the same circuit.
func Random(seed uint64) (*Subject, error) {
	commitments, log := int(seed%4), 3+int(seed/4%10)
	r := rand.New(rand.NewPCG(seed, 0))
	for {
		c := &random{seed: r.Uint64(), commitments: commitments}
		c.Public = make([]frontend.Variable, r.IntN(min(51, 1<<log*3/4)))
		c.Secret = make([]frontend.Variable, 1+r.IntN(5))
		c.steps = max(commitments, 1) + r.IntN(1<<log/2)
		system, err := compile(c)
		if err != nil {
			return nil, err
		}
		if rows := system.GetNbConstraints() + len(system.Public); rows > 1<<(log-1) && rows <= 1<<log {
			return setUp(system, c.assignment())
		}
	}
}
