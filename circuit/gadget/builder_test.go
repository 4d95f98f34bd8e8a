package gadget

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
)

// solve runs gnark's solver on the system of b with the given public and secret
// values, in order.
func solve(t testing.TB, b *Builder, public, secret []fr.Element, opts ...solver.Option) error {
	t.Helper()
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	values := make(chan any, len(public)+len(secret))
	for _, v := range public {
		values <- v
	}
	for _, v := range secret {
		values <- v
	}
	close(values)
	if err := w.Fill(len(public), len(secret), values); err != nil {
		t.Fatal(err)
	}
	return b.System().IsSolved(w, append(b.SolverOptions(), opts...)...)
}

func TestHashEqualsGnarkCrypto(t *testing.T) {
	var l, r, want fr.Element
	l.MustSetRandom()
	r.MustSetRandom()
	lb, rb := l.Bytes(), r.Bytes()
	digest, err := poseidon2.NewDefaultPermutation().Compress(lb[:], rb[:])
	if err != nil {
		t.Fatal(err)
	}
	want.SetBytes(digest)
	b := New(1024)
	out, left, right := b.Public("h"), b.Secret("l"), b.Secret("r")
	b.AssertEqual(b.Hash(left, right), out)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := solve(t, b, []fr.Element{want}, []fr.Element{l, r}); err != nil {
		t.Error(err)
	}
	want.Add(&want, &l)
	if solve(t, b, []fr.Element{want}, []fr.Element{l, r}) == nil {
		t.Error("a wrong digest is accepted")
	}
	if b.Rows() > 305 || b.Rows() != b.System().GetNbConstraints() {
		t.Errorf("%d rows counted, %d written, want at most 305", b.Rows(), b.System().GetNbConstraints())
	}
}

func TestArithmetic(t *testing.T) {
	// ((2x + 3)·(5y − 1) + 7x) for each shape of operands that MulAdd tells apart
	x, y := int64(11), int64(-4)
	build := func(b *Builder) {
		out, ex, ey := b.Public("o"), b.Secret("x"), b.Secret("y")
		a, c := ex.Times(2).Plus(3), ey.Times(5).Plus(-1)
		first := b.MulAdd(a, c, ex.Times(7))
		second := b.MulAdd(c, a, ex.Times(7))
		third := b.Add(b.Mul(a, c), ex.Times(7))
		b.AssertEqual(first, out)
		b.AssertEqual(second, out)
		b.AssertMul(third, Constant(1), out)
		b.AssertSum(b.MulAdd(a, Constant(2), ey), b.Sum(a, a, ey, Constant(5)).Times(-1), Constant(5))
	}
	b := New(64)
	build(b)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	want := Int((2*x+3)*(5*y-1) + 7*x)
	secret := []fr.Element{Int(x), Int(y)}
	if err := solve(t, b, []fr.Element{want}, secret); err != nil {
		t.Error(err)
	}
	if solve(t, b, []fr.Element{Int(1)}, secret) == nil {
		t.Error("a wrong result is accepted")
	}
	dry := NewDry()
	build(dry)
	if err := dry.Finish(); err != nil || dry.Rows() != b.Rows() {
		t.Errorf("dry run: %d rows, %v; want %d", dry.Rows(), err, b.Rows())
	}
}

func TestFalseConstantsFail(t *testing.T) {
	b := New(16)
	b.AssertEqual(Constant(1), Constant(2))
	if b.Finish() == nil {
		t.Error("1 = 2 compiles")
	}
}

func TestCommitAfterChallengeFails(t *testing.T) {
	b := New(16)
	x, y := b.Secret("x"), b.Secret("y")
	b.Commit(x)
	b.Defer(Check, func() error {
		b.AssertMul(b.Challenge(""), x, b.Mul(x, b.Challenge("")))
		b.Commit(y)
		return nil
	})
	if b.Finish() == nil {
		t.Error("a commitment in the check phase compiles")
	}
}

func TestChallengesDiffer(t *testing.T) {
	b := New(1024)
	x := b.Secret("x")
	b.Commit(x)
	var got []*big.Int
	b.Defer(Check, func() error {
		probe := func(_ *big.Int, in, out []*big.Int) error {
			for _, v := range in {
				got = append(got, new(big.Int).Set(v))
			}
			out[0].Set(in[0])
			return nil
		}
		c := b.Challenge("")
		first := b.HintFunc("probe", probe, 1, c, b.Challenge("a"), b.Challenge("b"), b.Challenge("a"))[0]
		b.AssertEqual(first, c)
		return nil
	})
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := solve(t, b, nil, []fr.Element{Int(3)}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[1].Cmp(got[2]) == 0 || got[0].Cmp(got[1]) == 0 || got[1].Cmp(got[3]) != 0 {
		t.Errorf("challenges %v", got)
	}
}

func TestTooManyRows(t *testing.T) {
	b := NewDry(8)
	x := b.Secret("x")
	b.rows = MaxRows - 1
	b.Mul(x, x)
	if b.Err() != nil {
		t.Errorf("%d rows give %v", b.Rows(), b.Err())
	}
	b.Mul(x, x)
	if !errors.Is(b.Finish(), ErrTooLarge) {
		t.Errorf("%d rows give %v", b.Rows(), b.Err())
	}
}

// Bounded ends what writes without end: rows, and queries that will be rows.
func TestBounded(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		rows int // written already
		more func(b *Builder, x Expr)
		want error
	}{
		{"rows", context.Background(), MaxRows - 1000, func(b *Builder, x Expr) { b.Mul(x, x) }, ErrTooLarge},
		{"queries", context.Background(), MaxRows - 1000, func(b *Builder, x Expr) { b.rangeTable(8).add(query{x: x}) }, ErrTooLarge},
		{"cancelled", cancelled, 0, func(b *Builder, x Expr) { b.Mul(x, x) }, context.Canceled},
	} {
		b := NewDry(8)
		x := b.Secret("x")
		b.rows = test.rows
		err := b.Bounded(test.ctx, func() error {
			for range 1 << 20 {
				test.more(b, x)
			}
			return nil
		})
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if extra := b.rows + b.pending/2 - test.rows; extra > 1<<15 {
			t.Errorf("%s: ended after %d rows", test.name, extra)
		}
	}
	if err := NewDry(8).Bounded(context.Background(), func() error { return ErrTooLarge }); !errors.Is(err, ErrTooLarge) {
		t.Errorf("the function's own error becomes %v", err)
	}
}
