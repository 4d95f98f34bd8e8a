//go:build !purego

package msm

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/utils/cpu"
)

// block is eight field elements as five vectors of limbs of 52 bits, see add_amd64.s.
type block [limbs][lanes]uint64

const (
	limbs    = 5
	limbBits = 52
)

//go:noescape
func multiplyBlocks(z, x, y *block, n int)

//go:noescape
func crossBlocks(x, y, z *block, n int)

//go:noescape
func subtractPairs(d, e *block, equal *uint8, pairs *pairs, points *bn254.G1Affine, n int)

//go:noescape
func finishPairs(sums *bn254.G1Affine, d, e *block, pairs *pairs, points *bn254.G1Affine, n int, ahead *entry)

// blocks is the arithmetic in AVX-512 IFMA instructions.
//
// Numbers stay in the vectors' own form, of limbs of 52 bits and reduced only as far
// as needed, from the points that are read to those that are written.
type blocks struct {
	numerators, denominators []block
	tree                     []block // products of denominators
}

// newArithmetic returns the arithmetic for this processor.
func newArithmetic() arithmetic {
	if !cpu.SupportAVX512IFMA {
		return newVectors()
	}
	all := make([]block, 3*batchSize/lanes+32)
	return &blocks{
		numerators:   all[:batchSize/lanes],
		denominators: all[batchSize/lanes : 2*batchSize/lanes],
		tree:         all[2*batchSize/lanes:],
	}
}

func (b *blocks) subtract(pairs []pairs, points []bn254.G1Affine, equal []uint8) {
	subtractPairs(&b.denominators[0], &b.numerators[0], &equal[0], &pairs[0], &points[0], len(pairs))
}

func (b *blocks) set(j int, numerator, denominator *fp.Element) {
	b.numerators[j/lanes].set(j%lanes, numerator)
	b.denominators[j/lanes].set(j%lanes, denominator)
}

func (b *blocks) finish(pairs []pairs, points, sums []bn254.G1Affine, ahead []entry) {
	b.invert(len(pairs))
	_ = sums[lanes*len(pairs)-1]
	var next *entry
	if len(ahead) >= 2*lanes*len(pairs) {
		next = &ahead[0]
	}
	finishPairs(&sums[0], &b.denominators[0], &b.numerators[0], &pairs[0], &points[0], len(pairs), next)
}

// set puts an element into a lane.
func (b *block) set(lane int, e *fp.Element) {
	const mask = 1<<limbBits - 1
	b[0][lane] = e[0] & mask
	b[1][lane] = (e[0]>>52 | e[1]<<12) & mask
	b[2][lane] = (e[1]>>40 | e[2]<<24) & mask
	b[3][lane] = (e[2]>>28 | e[3]<<36) & mask
	b[4][lane] = e[3] >> 16
}

// get returns the lane's value, below 2p, reduced.
func (b *block) get(lane int) fp.Element {
	e := fp.Element{
		b[0][lane] | b[1][lane]<<52,
		b[1][lane]>>12 | b[2][lane]<<40,
		b[2][lane]>>24 | b[3][lane]<<28,
		b[3][lane]>>36 | b[4][lane]<<16,
	}
	if reduced, borrow := wide(e).sub(modulus); borrow == 0 {
		return fp.Element(reduced)
	}
	return e
}

// invert replaces each of the first n blocks' denominators d by 2^518/d, by
// Montgomery's trick over a tree: a level's first half times its second half is the
// next level, down to one block; back up, an element's inverse is its product's times
// the other factor. Every product on the way brings a factor 2^−260 and is undone with
// it.
func (b *blocks) invert(n int) {
	var levels [32][]block
	depth, free := 0, b.tree
	for levels[0] = b.denominators[:n]; len(levels[depth]) > 1; depth++ {
		level := levels[depth]
		h := (len(level) + 1) / 2
		products := free[:h:h]
		free = free[h:]
		multiplyBlocks(&products[0], &level[0], &level[h], len(level)-h)
		copy(products[len(level)-h:], level[len(level)-h:h])
		levels[depth+1] = products
	}
	root := &levels[depth][0]
	var few [lanes]fp.Element
	for k := range few {
		few[k] = root.get(k)
	}
	invertFew(few[:])
	// As gnark-crypto's numbers with their factor 2^256 they are now 2^512/d.
	scale := fp.NewElement(64)
	for k := range few {
		few[k].Mul(&few[k], &scale)
		root.set(k, &few[k])
	}
	for depth--; depth >= 0; depth-- {
		level, inverses := levels[depth], levels[depth+1]
		h := len(inverses)
		crossBlocks(&level[0], &level[h], &inverses[0], len(level)-h)
		copy(level[len(level)-h:h], inverses[len(level)-h:])
	}
}
