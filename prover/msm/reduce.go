package msm

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// points is a list of affine points with the bucket that each belongs to. Infinite
// points are left out.
type points struct {
	x, y   fp.Vector
	bucket []uint32
}

func (p *points) reset() { p.x, p.y, p.bucket = p.x[:0], p.y[:0], p.bucket[:0] }

// source is where entries point to: bases, or the points of a list.
type source struct {
	bases []bn254.G1Affine
	list  *points
}

// An entry is a point of a source and its sign: index<<1 | negative.
type entry = uint32

// sorted is a list of entries ordered by bucket: those of bucket b are
// entries[start[b]:start[b+1]].
type sorted struct {
	entries []entry
	start   []uint32
}

// adder sums the entries of each bucket. One goroutine uses it at a time.
type adder struct {
	*batch
	rounds [2]points // what is left of the piece, before and after a round
	length []uint32  // entries left, by bucket of the piece
	bucket []uint32  // which buckets
	left   []entry   // the entries left, bucket after bucket
	sort   sorted
	begin  []uint32 // where halve writes next
	digit  []int32
	lists  [2]points
}

// pieceSize is the number of entries that are halved together.
const pieceSize = 2 * batchSize

// levelSize has room for what is left of a piece's entries and for the elements that a
// batch writes past its last sum.
const levelSize = pieceSize + lanes

func newAdder() *adder {
	a := &adder{batch: newBatch()}
	for i := range a.rounds {
		a.rounds[i].x, a.rounds[i].y = make(fp.Vector, levelSize), make(fp.Vector, levelSize)
	}
	a.left = make([]entry, pieceSize)
	return a
}

// sum appends to out the sums of the buckets that have entries. A bucket whose
// entries fall into several pieces appears several times. It stops between pieces
// when ctx is done.
func (a *adder) sum(ctx context.Context, s sorted, src source, out *points) error {
	buckets := len(s.start) - 1
	for b, at := 0, uint32(0); b < buckets; {
		if err := ctx.Err(); err != nil {
			return err
		}
		a.length, a.bucket = a.length[:0], a.bucket[:0]
		first := at
		for room := uint32(pieceSize); b < buckets && room > 0; {
			take := min(s.start[b+1]-at, room)
			if take > 0 {
				a.length = append(a.length, take)
				a.bucket = append(a.bucket, uint32(b))
			}
			at += take
			room -= take
			if at < s.start[b+1] {
				break
			}
			b++
		}
		a.piece(s.entries[first:at], src, out)
	}
	return nil
}

// piece sums the entries of each of a.bucket, which has a.length of them. In every
// round each bucket's entries are added in pairs, all independent of one another, until
// each has one left.
func (a *adder) piece(entries []entry, src source, out *points) {
	infinite := false
	now := copy(a.left, entries)
	for round := 0; now > len(a.length) || round == 0; round++ {
		next := &a.rounds[round&1]
		spare := levelSize // leftovers are put from the end down
		pairs, read, write := 0, 0, 0
		for k, n := range a.length {
			for range n / 2 {
				a.gather(pairs, a.left[read], a.left[read+1], src)
				a.left[write] = entry(pairs) << 1
				read += 2
				write++
				pairs++
			}
			if n&1 == 1 {
				spare--
				src.point(a.left[read], &next.x[spare], &next.y[spare])
				a.left[write] = entry(spare) << 1
				read++
				write++
			}
			a.length[k] = (n + 1) / 2
		}
		if pairs > 0 {
			infinite = a.add(pairs, next.x, next.y, infinite) || infinite
		}
		now = write
		src = source{list: next}
	}
	for k, e := range a.left[:now] {
		x, y := &src.list.x[e>>1], &src.list.y[e>>1]
		if infinite && isInfinite(x, y) {
			continue
		}
		out.x = append(out.x, *x)
		out.y = append(out.y, *y)
		out.bucket = append(out.bucket, a.bucket[k])
	}
}

// gather copies the j-th pair from src.
func (a *adder) gather(j int, first, second entry, src source) {
	src.point(first, &a.x1[j], &a.y1[j])
	src.point(second, &a.x2[j], &a.y2[j])
}

// point copies the point of an entry.
func (s source) point(e entry, x, y *fp.Element) {
	if s.list != nil {
		*x, *y = s.list.x[e>>1], s.list.y[e>>1]
	} else {
		p := &s.bases[e>>1]
		*x, *y = p.X, p.Y
	}
	if e&1 == 1 {
		y.Neg(y)
	}
}
