package gadget

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	gnarkcs "github.com/consensys/gnark/frontend/cs"
)

var (
	errFalse    = errors.New("an equation between constants doesn't hold")
	errNoCommit = errors.New("a challenge is needed but nothing is committed")
)

// Commit makes the challenge depend on the wire of x, if it has one and it isn't
// bound yet. One row. Not allowed in the Check phase.
func (b *Builder) Commit(x Expr) {
	if x.IsConst() || b.Bound(x.Wire) {
		return
	}
	if b.phase >= Check {
		b.fail(fmt.Errorf("wire %d committed after the challenge was drawn", x.Wire))
		return
	}
	b.Bind(x.Wire)
	var zero fr.Element
	// -x + PI2 = 0, where gnark's prover and verifier put in PI2
	b.committed = append(b.committed, b.row(x.Wire, 0, 0, minusOne, zero, zero, zero, zero, constraint.COMMITTED))
	if b.sys != nil {
		b.inputs = append(b.inputs, exprOf(x.Wire))
	}
}

// Bind records that w is a function of bound wires, so that it needs no commitment
// of its own.
func (b *Builder) Bind(w Wire) {
	if n := int(w) + 1; n > len(b.bound) {
		b.bound = append(b.bound, make([]bool, n-len(b.bound))...)
	}
	b.bound[w] = true
}

// Bound reports whether the challenge depends on w: it is committed, or determined
// by committed wires.
func (b *Builder) Bound(w Wire) bool { return int(w) < len(b.bound) && b.bound[w] }

// Challenge returns a challenge: the hash of the commitment for the empty tag, and
// for another the in-circuit hash of (tag, that). Challenges of different tags are
// independent. Only in the Check phase.
func (b *Builder) Challenge(tag string) Expr {
	if b.phase != Check {
		b.fail(fmt.Errorf("challenge %q asked for before the commitment is complete", tag))
		return Expr{}
	}
	if tag == "" {
		return b.challenge
	}
	c, ok := b.derived[tag]
	if !ok {
		region := b.region
		b.region = Region{"", "challenge"}
		c = b.Hash(tagElement(tag), b.challenge)
		b.region = region
		b.derived[tag] = c
	}
	return c
}

// draw ends the first round: one BSB22 commitment over all committed wires, whose
// hash is the challenge.
func (b *Builder) draw() {
	if len(b.committed) == 0 {
		b.fail(errNoCommit)
		return
	}
	b.region = Region{"", "challenge"}
	inputs := append([]Expr{Constant(0)}, b.inputs...) // first the index of this commitment
	b.challenge = b.Hint(gnarkcs.Bsb22CommitmentComputePlaceholder, 1, inputs...)[0]
	var zero fr.Element
	row := b.row(b.challenge.Wire, 0, 0, minusOne, zero, zero, zero, zero, constraint.COMMITMENT)
	if b.sys == nil {
		return
	}
	if err := b.sys.AddCommitment(constraint.PlonkCommitment{CommitmentIndex: row, Committed: b.committed, Width: 1}); err != nil {
		b.fail(err)
	}
}
