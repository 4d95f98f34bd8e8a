package circuit_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize/quantizetest"
)

// TestChallengeRestsOnCommittedValues reads the rows of random programs' circuits and
// works out for itself which wires the commitment fixes: the committed ones, and each
// wire that a row before the challenge makes a function of such. Whatever a row after
// the challenge reads must be among them, or come after it; otherwise a prover could
// choose it with the challenge in hand.
func TestChallengeRestsOnCommittedValues(t *testing.T) {
	drawn := 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := quantizetest.Program(r, quantizetest.Options{Nodes: 4 + r.IntN(12), Size: 1 + r.IntN(6)})
		c, err := circuit.Compile(context.Background(), p, circuit.Options{Widths: [][]int{{2}, {3}, {2, 5}, {7}}[seed%4]})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		fixed, challenge, draw := fixedByCommitment(t, c.System)
		if draw < 0 {
			continue
		}
		drawn++
		for i, row := range c.System.GetSparseR1Cs()[draw+1:] {
			for w := range readBy(c.System, row) {
				if w < challenge && !fixed[w] {
					t.Errorf("seed %d: row %d reads wire %d, which the challenge doesn't depend on", seed, draw+1+i, w)
				}
			}
		}
	}
	if drawn < 100 {
		t.Errorf("only %d circuits have a challenge", drawn)
	}
}

// fixedByCommitment returns the wires that are functions of committed ones, the
// challenge's wire and its row, -1 if nothing is committed.
func fixedByCommitment(t *testing.T, sys *cs.SparseR1CS) (fixed map[uint32]bool, challenge uint32, draw int) {
	t.Helper()
	fixed = make(map[uint32]bool)
	commitments := sys.CommitmentInfo.(constraint.PlonkCommitments)
	rows := sys.GetSparseR1Cs()
	flagged := 0
	for _, row := range rows {
		if row.Commitment == constraint.COMMITTED {
			fixed[row.XA] = true
			flagged++
		}
	}
	if len(commitments) == 0 {
		if flagged > 0 {
			t.Fatal("committed rows without a commitment")
		}
		return fixed, 0, -1
	}
	if len(commitments) != 1 || flagged != len(commitments[0].Committed) {
		t.Fatalf("%d commitments, %d flagged rows", len(commitments), flagged)
	}
	draw = commitments[0].CommitmentIndex
	for changed := true; changed; {
		changed = false
		for _, row := range rows[:draw] {
			w, ok := determines(sys, row, fixed)
			if ok {
				fixed[w] = true
				changed = true
			}
		}
	}
	return fixed, rows[draw].XA, draw
}

// determines returns the one wire that a row makes a function of the fixed ones, if it
// has one: not fixed yet, and with a constant coefficient that isn't 0.
func determines(sys *cs.SparseR1CS, row constraint.SparseR1C, fixed map[uint32]bool) (wire uint32, ok bool) {
	if row.Commitment != constraint.NOT {
		return 0, false
	}
	if qm := coefficient(sys, row.QM); !qm.IsZero() && !(fixed[row.XA] && fixed[row.XB]) {
		return 0, false
	}
	open := make(map[uint32]fr.Element)
	for _, term := range [...][2]uint32{{row.XA, row.QL}, {row.XB, row.QR}, {row.XC, row.QO}} {
		if k := coefficient(sys, term[1]); !fixed[term[0]] && !k.IsZero() {
			sum := open[term[0]]
			open[term[0]] = *sum.Add(&sum, &k)
		}
	}
	for w, k := range open {
		return w, len(open) == 1 && !k.IsZero()
	}
	return 0, false
}

// readBy returns the wires that a row depends on.
func readBy(sys *cs.SparseR1CS, row constraint.SparseR1C) map[uint32]bool {
	wires := make(map[uint32]bool)
	for _, term := range [...][2]uint32{{row.XA, row.QL}, {row.XA, row.QM}, {row.XB, row.QR}, {row.XB, row.QM}, {row.XC, row.QO}} {
		if k := coefficient(sys, term[1]); !k.IsZero() {
			wires[term[0]] = true
		}
	}
	return wires
}

func coefficient(sys *cs.SparseR1CS, id uint32) fr.Element {
	return fr.Element(sys.CoeffTable.Coefficients[id])
}
