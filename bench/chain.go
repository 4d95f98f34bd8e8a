package main

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	gnarkcs "github.com/consensys/gnark/frontend/cs"
	"github.com/consensys/gnark/frontend/cs/scs"

	"github.com/zkml-go/zkml/prover/srs"
)

// chain is gnark's own benchmark circuit: X squared Length times is Y.
type chain struct {
	X      frontend.Variable
	Y      frontend.Variable `gnark:",public"`
	Length int               `gnark:"-"`
}

// Define implements frontend.Circuit.
func (c *chain) Define(api frontend.API) error {
	x := c.X
	for range c.Length {
		x = api.Mul(x, x)
	}
	api.AssertIsEqual(x, c.Y)
	return nil
}

// baseline proves a chain with stock gnark.
type baseline struct {
	system  constraint.ConstraintSystem
	pk      plonk.ProvingKey
	witness witness.Witness
}

// newChain sets up a chain that fills a domain.
func newChain(domain int, s *srs.SRS) (*baseline, error) {
	n := domain - 2
	system, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, &chain{Length: n})
	if err != nil {
		return nil, err
	}
	canonical, lagrange := s.Canonical(), s.InLagrangeForm()
	pk, _, err := plonk.Setup(system, &canonical, &lagrange)
	if err != nil {
		return nil, err
	}
	y := big.NewInt(3)
	for range n {
		y.Mul(y, y).Mod(y, ecc.BN254.ScalarField())
	}
	w, err := frontend.NewWitness(&chain{X: 3, Y: y, Length: n}, ecc.BN254.ScalarField())
	if err != nil {
		return nil, fmt.Errorf("the chain's witness: %w", err)
	}
	return &baseline{system, pk, w}, nil
}

// prove returns the time of one proof, blinded as ours are.
func (b *baseline) prove() (time.Duration, error) {
	start := time.Now()
	_, err := plonk.Prove(b.system, b.pk, b.witness, backend.WithStatisticalZeroKnowledge())
	return time.Since(start), err
}

// standIn replaces the commitment's hash where a witness is solved without a proof.
var standIn = solver.OverrideHint(
	solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder),
	func(mod *big.Int, in, out []*big.Int) error {
		h := sha256.New()
		for _, v := range in {
			h.Write(v.Bytes())
		}
		out[0].SetBytes(h.Sum(nil)).Mod(out[0], mod)
		return nil
	})
