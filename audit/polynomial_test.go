package audit

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The roots of a product of known linear factors, one of them twice, and a quadratic
// without a root.
func TestRoots(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var nonresidue fr.Element
	for nonresidue.SetUint64(2); nonresidue.Legendre() == 1; {
		nonresidue.Add(&nonresidue, new(fr.Element).SetOne())
	}
	p := polynomial{*new(fr.Element).Neg(&nonresidue), {}, fr.One()}
	if found := p.roots(r); len(found) != 0 {
		t.Fatalf("roots %v of a quadratic without any", found)
	}
	var want []fr.Element
	for _, v := range []uint64{0, 3, 3, 5, 1 << 40} {
		root := fr.NewElement(v)
		minus := root
		p = p.mul(polynomial{*minus.Neg(&minus), fr.One()})
		if !slices.Contains(want, root) {
			want = append(want, root)
		}
	}
	found := p.roots(r)
	slices.SortFunc(found, func(a, b fr.Element) int { return a.Cmp(&b) })
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

// (1/(t+1) + t) / (t²/(t+1)) at a point, against the field.
func TestRatio(t *testing.T) {
	one := fr.One()
	x := ratio{num: polynomial{{}, one}}
	next := x.add(constant(one))
	f := constant(one).over(next).add(x).over(x.mul(x).over(next))
	point := fr.NewElement(7)
	at := func(p polynomial) (v fr.Element) {
		for i := len(p) - 1; i >= 0; i-- {
			v.Mul(&v, &point)
			v.Add(&v, &p[i])
		}
		return v
	}
	num, den := at(f.num), at(f.den)
	num.Div(&num, &den)
	want, forty9 := fr.NewElement(57), fr.NewElement(49)
	if want.Div(&want, &forty9); !num.Equal(&want) {
		t.Errorf("found %s, want %s", num.String(), want.String())
	}
}
