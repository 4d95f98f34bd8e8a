package msm

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// theirs is gnark-crypto's answer.
func theirs(t testing.TB, points []bn254.G1Affine, scalars []fr.Element) bn254.G1Affine {
	t.Helper()
	var sum bn254.G1Affine
	if _, err := sum.MultiExp(points[:len(scalars)], scalars, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	return sum
}

// ours makes bases that use the package's own method whatever the processor.
func ours(t testing.TB, points []bn254.G1Affine, o Options) *Bases {
	t.Helper()
	b, err := New(points, o)
	if err != nil {
		t.Fatal(err)
	}
	b.own = true
	return b
}

// randomPoints returns n points a + i·b of random points a and b.
func randomPoints(r *rand.Rand, n int) []bn254.G1Affine {
	var step bn254.G1Jac
	var scalar big.Int
	p, _, _, _ := bn254.Generators()
	s := randomScalar(r)
	step.ScalarMultiplication(&p, s.BigInt(&scalar))
	s = randomScalar(r)
	p.ScalarMultiplication(&p, s.BigInt(&scalar))
	points := make([]bn254.G1Jac, n)
	for i := range points {
		points[i] = p
		p.AddAssign(&step)
	}
	return bn254.BatchJacobianToAffineG1(points)
}

func randomScalar(r *rand.Rand) fr.Element {
	var b [40]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	var s fr.Element
	s.SetBytes(b[:])
	return s
}

// portable makes b use the arithmetic for every processor.
func (b *Bases) portable() *Bases {
	b.buffers = newBuffers()
	b.adders.New = func() any {
		a := newAdder()
		a.arithmetic = newVectors()
		return a
	}
	return b
}

// kinds are the ways in which scalars are drawn.
var kinds = []struct {
	name string
	draw func(r *rand.Rand) fr.Element
}{
	{"full-size", randomScalar},
	{"8-bit", func(r *rand.Rand) fr.Element { return fr.NewElement(r.Uint64() & 255) }},
	{"signed 16-bit", func(r *rand.Rand) fr.Element {
		s := fr.NewElement(r.Uint64() & (1<<16 - 1))
		if r.IntN(2) == 0 {
			s.Neg(&s)
		}
		return s
	}},
	{"mixed", drawMixed},
	{"few long", func(r *rand.Rand) fr.Element {
		if r.IntN(300) == 0 {
			return randomScalar(r)
		}
		return fr.NewElement(r.Uint64() & 15)
	}},
	{"long runs of zero", func(r *rand.Rand) fr.Element {
		if zeros++; zeros%3000 < 2500 {
			return fr.Element{}
		}
		return randomScalar(r)
	}},
	{"any length", func(r *rand.Rand) fr.Element {
		v := new(big.Int).Lsh(big.NewInt(1), uint(r.IntN(256)))
		v.Add(v, big.NewInt(int64(r.IntN(3)-1)))
		var s fr.Element
		s.SetBigInt(v)
		if r.IntN(2) == 0 {
			s.Neg(&s)
		}
		return s
	}},
	{"plus and minus one", func(r *rand.Rand) fr.Element {
		s := fr.NewElement(1)
		if r.IntN(2) == 0 {
			s.Neg(&s)
		}
		return s
	}},
	{"one", func(r *rand.Rand) fr.Element { return fr.NewElement(1) }},
	{"zero", func(r *rand.Rand) fr.Element { return fr.Element{} }},
	{"near half the order", func(r *rand.Rand) fr.Element {
		two := fr.NewElement(2)
		s := fr.NewElement(r.Uint64() & 7)
		s.Neg(&s)
		return *s.Div(&s, &two)
	}},
}

var zeros int // drawn so far in runs

// drawMixed draws as the wires of a quantized model are: 60 % zero, one or small.
func drawMixed(r *rand.Rand) fr.Element {
	switch k := r.IntN(10); {
	case k < 2:
		return fr.Element{}
	case k < 3:
		return fr.NewElement(1)
	case k < 6:
		s := fr.NewElement(r.Uint64() & 255)
		if r.IntN(2) == 0 {
			s.Neg(&s)
		}
		return s
	default:
		return randomScalar(r)
	}
}

// arrangements are the ways in which points are related to one another.
var arrangements = []struct {
	name    string
	arrange func(r *rand.Rand, points []bn254.G1Affine)
}{
	{"random", func(*rand.Rand, []bn254.G1Affine) {}},
	{"all equal", func(_ *rand.Rand, points []bn254.G1Affine) {
		for i := range points {
			points[i] = points[0]
		}
	}},
	{"equal and opposite", func(r *rand.Rand, points []bn254.G1Affine) {
		for i := range points {
			points[i] = points[r.IntN(min(3, len(points)))]
			if r.IntN(2) == 0 {
				points[i].Neg(&points[i])
			}
		}
	}},
	{"opposite pairs", func(_ *rand.Rand, points []bn254.G1Affine) {
		for i := 1; i < len(points); i += 2 {
			points[i].Neg(&points[i-1])
		}
	}},
	{"some infinite", func(r *rand.Rand, points []bn254.G1Affine) {
		for i := range points {
			if r.IntN(4) == 0 {
				points[i].SetInfinity()
			}
		}
	}},
	{"all infinite", func(_ *rand.Rand, points []bn254.G1Affine) { clear(points) }},
	{"multiples of two", func(_ *rand.Rand, points []bn254.G1Affine) {
		for i := 1; i < len(points); i++ {
			points[i].Double(&points[i-1])
		}
	}},
}

// TestAgainstGnarkCrypto compares every kind of scalar, arrangement of points and
// size that crosses a border of the method.
func TestAgainstGnarkCrypto(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, 2, 3, 5, 8, 17, 64, 255, 1000, 5000}
	original := randomPoints(r, slices.Max(sizes))
	for _, arrangement := range arrangements {
		for _, kind := range kinds {
			t.Run(arrangement.name+"/"+kind.name, func(t *testing.T) {
				for _, n := range sizes {
					points := slices.Clone(original[:n])
					if n > 0 {
						arrangement.arrange(r, points)
					}
					scalars := make([]fr.Element, n)
					for i := range scalars {
						scalars[i] = kind.draw(r)
					}
					bases := ours(t, points, Options{Workers: 1 + r.IntN(3)})
					if n == 1000 {
						bases.portable()
					}
					got, err := bases.MultiExp(context.Background(), scalars)
					if err != nil {
						t.Fatal(err)
					}
					if want := theirs(t, points, scalars); !got.Equal(&want) {
						t.Fatalf("%d terms: got %v, gnark-crypto says %v", n, got, want)
					}
				}
			})
		}
	}
}

// TestColumns checks that the columns of one call don't mix, and that scalars may be
// fewer than bases.
func TestColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	points := randomPoints(r, 700)
	bases := ours(t, points, Options{Workers: 2})
	var columns [][]fr.Element
	for i, kind := range kinds {
		column := make([]fr.Element, 700-60*i)
		if i == 6 {
			column = nil
		}
		for j := range column {
			column[j] = kind.draw(r)
		}
		columns = append(columns, column)
	}
	for i := range 3 { // the second time with used memory, the third with gnark-crypto's
		bases.own = i < 2
		if i > 0 {
			bases.groupTerms, bases.theirTerms = 1000, 300
		}
		sums, err := bases.MultiExps(context.Background(), columns...)
		if err != nil {
			t.Fatal(err)
		}
		for i, column := range columns {
			if want := theirs(t, points, column); !sums[i].Equal(&want) {
				t.Errorf("column %d, %s: got %v, gnark-crypto says %v", i, kinds[i].name, sums[i], want)
			}
		}
	}
}

// TestErrors checks what New and MultiExp refuse.
func TestErrors(t *testing.T) {
	points := randomPoints(rand.New(rand.NewPCG(7, 8)), 3)
	for _, o := range []Options{{Workers: -1}} {
		if _, err := New(points, o); err == nil {
			t.Errorf("New accepted %+v", o)
		}
	}
	bases := ours(t, points, Options{})
	if _, err := bases.MultiExp(context.Background(), make([]fr.Element, 4)); !errors.Is(err, ErrSize) {
		t.Errorf("4 scalars for 3 bases: got %v, expected ErrSize", err)
	}
	for _, own := range []bool{false, true} {
		bases.own = own
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := bases.MultiExp(ctx, []fr.Element{fr.NewElement(1)}); !errors.Is(err, context.Canceled) {
			t.Errorf("own %v, cancelled before: got %v, expected context.Canceled", own, err)
		}
	}
}

// TestCancel checks that a computation of about a second stops soon.
func TestCancel(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	few := randomPoints(r, 1<<10)
	points, scalars := make([]bn254.G1Affine, 1<<17), make([]fr.Element, 1<<17)
	for i := range points {
		points[i], scalars[i] = few[i%len(few)], randomScalar(r)
	}
	bases := ours(t, points, Options{})
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("why")
	timer := time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	defer timer.Stop()
	start := time.Now()
	_, err := bases.MultiExps(ctx, scalars, scalars, scalars, scalars, scalars, scalars, scalars, scalars)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v after %v, expected context.Canceled", err, time.Since(start))
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("stopped %v after the start, cancelled after 50 ms", took)
	}
}

// TestWipe checks that what is kept for the next computation holds no scalar and none
// of its digits.
func TestWipe(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	points := randomPoints(r, 2000)
	scalars := make([]fr.Element, len(points))
	for i := range scalars {
		scalars[i] = drawMixed(r)
	}
	bases := ours(t, points, Options{})
	c, a := new(column), newAdder()
	if err := bases.load(context.Background(), c, scalars); err != nil {
		t.Fatal(err)
	}
	for _, task := range bases.tasks([]*column{c}) {
		if _, err := a.run(context.Background(), task, bases); err != nil {
			t.Fatal(err)
		}
	}
	c.wipe()
	if slices.ContainsFunc(c.value[:cap(c.value)], func(v wide) bool { return v != wide{} }) {
		t.Error("a scalar is left")
	}
	left := func(numbers []uint32) bool {
		return slices.ContainsFunc(numbers[:cap(numbers)], func(n uint32) bool { return n != 0 })
	}
	if left(a.sort.entries) || left(a.sort.start) || left(a.next) || left(c.index) || left(a.left) || left(a.length) || left(a.number) ||
		left(a.lists[0].number) || left(a.lists[1].number) {
		t.Error("digits are left")
	}
	if slices.ContainsFunc(a.digit[:cap(a.digit)], func(d int32) bool { return d != 0 }) {
		t.Error("digits are left")
	}
}
