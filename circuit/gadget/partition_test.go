package gadget

import (
	"math/rand/v2"
	"testing"
)

// mixed is a linear map of 8 inputs in 0 … 15 whose first channel reaches far less than
// its second, and the rescale of its results, each by what it can reach.
func mixed(b *Builder) (y, z []Expr) {
	x := Operand{Interval: Interval{0, 15}}
	for range 8 {
		x.Exprs = append(x.Exprs, b.Secret("x"))
	}
	b.RangeAll(x.Exprs, 4)
	weights := []int64{1, -1, 1, -1, 1, -1, 1, -1, 30, -30, 30, -30, 30, -30, 30, -30}
	y = b.Linear(plain(1, 8, 1, 1, 2, 1), x, Operand{Fixed: weights}, Operand{})
	z = b.Rescale(y, Interval{-1800, 1800}, Rounding{Mult: 1, Shift: 4, Min: -128, Max: 127})
	return
}

// TestRescaleByReach rescales channels of different reach: the narrow one is proven to
// lie in a narrow interval, and answers outside it are rejected with all that follows
// from them.
func TestRescaleByReach(t *testing.T) {
	build := func() (*Builder, []Expr) {
		b := New(256, 3, 4)
		y, _ := mixed(b)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		return b, y
	}
	b, y := build()
	dry := NewDry(3, 4)
	mixed(dry)
	if err := dry.Finish(); err != nil || dry.Rows() != b.Rows() {
		t.Errorf("dry run: %d rows, %v; want %d", dry.Rows(), err, b.Rows())
	}
	narrow, ok := b.Proven(y[0].Wire)
	if !ok || narrow.Lo < -256 || narrow.Hi > 255 || narrow.Lo > -60 || narrow.Hi < 60 {
		t.Errorf("%+v is proven of a result in [-60, 60]", narrow)
	}
	wide, ok := b.Proven(y[1].Wire)
	if !ok || wide.Lo > -1800 || wide.Hi < 1800 {
		t.Errorf("%+v is proven of a result in [-1800, 1800]", wide)
	}
	secret := elements([]int64{15, 0, 14, 1, 15, 2, 15, 3})
	honest := []int64{53, 53 * 30}
	var l lane
	l.fit(narrow, Interval{-60, 60})
	radix := l.radix().Int64()
	for _, c := range []struct {
		name     string
		y        []int64
		accepted bool
	}{
		{"honest", honest, true},
		{"one more", []int64{54, honest[1]}, false},
		{"beyond the narrow limbs", []int64{53 + 1024, honest[1]}, false},
		{"a carry", []int64{53 + radix, honest[1] - 1}, false},
		{"a carry back", []int64{53 - radix, honest[1] + 1}, false},
	} {
		if err := solve(t, b, nil, secret, forgedAs("linear 0", elements(c.y))); (err == nil) != c.accepted {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestPartition widens what reaches an operand to powers of two, within the interval of
// all.
func TestPartition(t *testing.T) {
	b := New(16, 4)
	in := Interval{-1000, 900}
	r := Rounding{Mult: 1, Shift: 3, Min: -1000, Max: 1000}
	for _, c := range []struct {
		reach Interval
		want  Interval
	}{
		{Interval{-1000, 900}, in},
		{Interval{-5000, 5000}, in},
		{Interval{5000, 6000}, in},
		{Interval{-36, 35}, Interval{-36, 59}},  // quotients −4 … 4
		{Interval{-35, 27}, Interval{-36, 27}},  // quotients −4 … 3
		{Interval{-37, 0}, Interval{-68, 3}},    // quotients −5 … 0
		{Interval{40, 60}, Interval{-4, 123}},   // quotients 5 … 8
		{Interval{-600, 3}, Interval{-1000, 3}}, // quotients −75 … 0
	} {
		x := b.Secret("x")
		b.reach[x.Wire] = c.reach
		parts := b.partition([]Expr{x, x.Plus(1), Constant(3)}, in, r)
		if parts[0].in != c.want || len(parts[0].members) == 3 != (c.want == in) {
			t.Errorf("%v: %+v, want %v", c.reach, parts, c.want)
		}
		if parts := b.partition([]Expr{x}, in, Rounding{Mult: 3, Shift: 3}); parts[0].in != in {
			t.Errorf("with a multiplier: %+v", parts)
		}
	}
}

// TestPartitionContainsReach draws intervals up to the largest and roundings of all kinds:
// an operand's own interval lies in that of all, and what reaches the operand in it.
func TestPartitionContainsReach(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	interval := func(limit int64) Interval {
		var ends [2]int64
		for i := range ends {
			n := int64(1) << r.IntN(63)
			if ends[i] = min(n-r.Int64N(n), limit); r.IntN(5) == 0 {
				ends[i] = limit
			}
			if r.IntN(2) == 0 {
				ends[i] = -ends[i]
			}
		}
		return Interval{min(ends[0], ends[1]), max(ends[0], ends[1])}
	}
	for range 100000 {
		rounding := Rounding{Mult: 1, Shift: uint(r.IntN(63)), HalfEven: r.IntN(2) == 0, Max: 1}
		limit := int64(1)<<62 - 1 - rounding.half()
		in, reach := interval(limit), interval(limit)
		both := Interval{max(in.Lo, reach.Lo), min(in.Hi, reach.Hi)}
		if both.Lo > both.Hi {
			continue
		}
		b := NewDry(4)
		x := b.Secret("x")
		b.reach[x.Wire] = reach
		own := b.partition([]Expr{x}, in, rounding)[0].in
		if own.Lo < in.Lo || own.Lo > both.Lo || own.Hi < both.Hi || own.Hi > in.Hi {
			t.Fatalf("%+v of %v in %v: %v", rounding, reach, in, own)
		}
	}
}
