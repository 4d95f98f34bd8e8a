package msm

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// buckets is a list of points that aren't infinite, with the bucket of each.
type buckets struct {
	sum    []bn254.G1Affine
	number []uint32
}

func (b *buckets) reset() {
	b.sum, b.number = b.sum[:0], b.number[:0]
}

// sorted is a list of entries ordered by bucket: those of bucket b are
// entries[start[b]:start[b+1]]. Bucket 0 doesn't count.
type sorted struct {
	entries []entry
	start   []uint32
}

// adder sums the points of each bucket. One goroutine uses it at a time.
type adder struct {
	*batch
	rounds [2][]bn254.G1Affine // what is left of a piece after a round
	left   []entry             // the same as entries, bucket after bucket
	length []uint32            // how many of them, by bucket of the piece
	number []uint32            // which buckets
	sort   sorted
	digit  []int32
	next   []uint32 // where halve writes next
	lists  [2]buckets
}

const (
	// pieceSize is the number of entries that are halved together.
	pieceSize = 2 * batchSize
	// roundSize has room for what is left of a piece's entries and for the sums that a
	// batch writes past its last.
	roundSize = pieceSize + lanes
)

func newAdder() *adder {
	a := &adder{batch: newBatch(), left: make([]entry, pieceSize)}
	for i := range a.rounds {
		a.rounds[i] = make([]bn254.G1Affine, roundSize)
	}
	return a
}

// wipe forgets which digits the scalars had.
func (a *adder) wipe() {
	for _, v := range [][]uint32{
		a.sort.entries, a.sort.start, a.next, a.left, a.length, a.number, a.lists[0].number, a.lists[1].number,
	} {
		clear(v[:cap(v)])
	}
	clear(a.digit[:cap(a.digit)])
	clear(a.pairs)
	a.lists[0].reset()
	a.lists[1].reset()
}

// sum appends to out the sums of the buckets that have entries. A bucket whose
// entries fall into several pieces appears several times. It stops between pieces
// when ctx is done.
func (a *adder) sum(ctx context.Context, s sorted, points []bn254.G1Affine, out *buckets) error {
	all := len(s.start) - 1
	for b, at := 1, s.start[1]; b < all; {
		if err := ctx.Err(); err != nil {
			return err
		}
		a.length, a.number = a.length[:0], a.number[:0]
		first := at
		for room := uint32(pieceSize); b < all && room > 0; {
			take := min(s.start[b+1]-at, room)
			if take > 0 {
				a.length = append(a.length, take)
				a.number = append(a.number, uint32(b))
			}
			at += take
			room -= take
			if at < s.start[b+1] {
				break
			}
			b++
		}
		a.ahead = s.entries[at:cap(s.entries)]
		a.piece(s.entries[first:at], points, out)
	}
	return nil
}

// piece sums the entries of each bucket of a.number, which has a.length of them. In
// every round each bucket's entries are added in pairs, all independent of one
// another, until each has one left.
func (a *adder) piece(entries []entry, points []bn254.G1Affine, out *buckets) {
	infinite := false
	left := a.left[:copy(a.left, entries)]
	for round := 0; len(left) > len(a.length); round++ {
		sums := a.rounds[round&1]
		left = a.pair(left, points, sums)
		infinite = a.add(points, sums, infinite) || infinite
		a.ahead = nil
		points = sums
	}
	for k, e := range left {
		sum := point(points, e)
		if infinite && sum.IsInfinity() {
			continue
		}
		out.sum = append(out.sum, sum)
		out.number = append(out.number, a.number[k])
	}
}

// pair puts the entries of each bucket in pairs into the batch, and copies those left
// over to the end of sums. It returns the entries, of sums, of what is left then.
func (a *adder) pair(left []entry, points, sums []bn254.G1Affine) []entry {
	spare, read, write := roundSize, 0, 0
	for k, n := range a.length {
		for range n / 2 {
			e := entry(a.n) << 1
			a.put(left[read], left[read+1])
			left[write] = e
			read += 2
			write++
		}
		if n&1 == 1 {
			spare--
			sums[spare] = point(points, left[read])
			left[write] = entry(spare) << 1
			read++
			write++
		}
		a.length[k] = (n + 1) / 2
	}
	return left[:write]
}
