package audit

import (
	"math/big"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// polynomial is Σ_i p[i]·t^i, without leading zeros: nil is 0.
type polynomial []fr.Element

func (p polynomial) trim() polynomial {
	for len(p) > 0 && p[len(p)-1].IsZero() {
		p = p[:len(p)-1]
	}
	return p
}

func (p polynomial) degree() int { return len(p) - 1 }

func (p polynomial) add(q polynomial) polynomial {
	sum := make(polynomial, max(len(p), len(q)))
	copy(sum, p)
	for i := range q {
		sum[i].Add(&sum[i], &q[i])
	}
	return sum.trim()
}

func (p polynomial) scale(k *fr.Element) polynomial {
	list := make(polynomial, len(p))
	for i := range p {
		list[i].Mul(&p[i], k)
	}
	return list.trim()
}

func (p polynomial) mul(q polynomial) polynomial {
	if len(p) == 0 || len(q) == 0 {
		return nil
	}
	list := make(polynomial, len(p)+len(q)-1)
	var t fr.Element
	for i := range p {
		for j := range q {
			list[i+j].Add(&list[i+j], t.Mul(&p[i], &q[j]))
		}
	}
	return list.trim()
}

func (p polynomial) equal(q polynomial) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if !p[i].Equal(&q[i]) {
			return false
		}
	}
	return true
}

// divide returns quotient and remainder. q isn't 0.
func (p polynomial) divide(q polynomial) (quotient, rest polynomial) {
	rest = append(polynomial(nil), p...)
	if len(p) < len(q) {
		return nil, rest
	}
	var inverse, t fr.Element
	inverse.Inverse(&q[len(q)-1])
	quotient = make(polynomial, len(p)-len(q)+1)
	for k := len(quotient) - 1; k >= 0; k-- {
		f := rest[k+len(q)-1]
		f.Mul(&f, &inverse)
		quotient[k] = f
		for i := range q {
			rest[k+i].Sub(&rest[k+i], t.Mul(&f, &q[i]))
		}
	}
	return quotient, rest.trim()
}

// gcd returns the greatest common divisor, with leading coefficient 1.
func (p polynomial) gcd(q polynomial) polynomial {
	for len(q) > 0 {
		_, r := p.divide(q)
		p, q = q, r
	}
	if len(p) == 0 {
		return nil
	}
	var inverse fr.Element
	return p.scale(inverse.Inverse(&p[len(p)-1]))
}

// power returns p^n modulo m.
func (p polynomial) power(n *big.Int, m polynomial) polynomial {
	result := polynomial{fr.One()}
	for i := n.BitLen() - 1; i >= 0; i-- {
		_, result = result.mul(result).divide(m)
		if n.Bit(i) == 1 {
			_, result = result.mul(p).divide(m)
		}
	}
	return result
}

// roots returns the roots of p in the field, each once, by Cantor and Zassenhaus: those
// of gcd(p, t^|F| − t), split by whether root + a is a square for random a.
func (p polynomial) roots(r *rand.Rand) []fr.Element {
	if p.degree() < 1 {
		return nil
	}
	minus := fr.One()
	minus.Neg(&minus)
	if p.degree() > 1 {
		t := polynomial{fr.Element{}, fr.One()}
		p = p.gcd(t.power(fr.Modulus(), p).add(t.scale(&minus)))
	}
	half := new(big.Int).Rsh(fr.Modulus(), 1)
	var list []fr.Element
	var split func(p polynomial)
	split = func(p polynomial) {
		switch {
		case p.degree() < 1:
			return
		case p.degree() == 1:
			var root fr.Element
			root.Div(&p[0], &p[1])
			list = append(list, *root.Neg(&root))
			return
		}
		for {
			var a fr.Element
			a.SetUint64(r.Uint64())
			shifted := polynomial{a, fr.One()}
			g := p.gcd(shifted.power(half, p).add(polynomial{minus}))
			if g.degree() > 0 && g.degree() < p.degree() {
				rest, _ := p.divide(g)
				split(g)
				split(rest)
				return
			}
		}
	}
	split(p)
	return list
}

// ratio is a rational function; a nil denominator is 1.
type ratio struct{ num, den polynomial }

func constant(v fr.Element) ratio { return ratio{num: polynomial{v}.trim()} }

func (a ratio) isZero() bool { return len(a.num) == 0 }

func (a ratio) add(b ratio) ratio {
	switch {
	case a.isZero():
		return b
	case b.isZero():
		return a
	case a.den.equal(b.den):
		return ratio{a.num.add(b.num), a.den}
	}
	return ratio{a.num.times(b.den).add(b.num.times(a.den)), product(a.den, b.den)}
}

func (a ratio) mul(b ratio) ratio { return ratio{a.num.mul(b.num), product(a.den, b.den)} }

// over returns a/b. b isn't 0.
func (a ratio) over(b ratio) ratio {
	num, den := a.num.times(b.den), b.num.times(a.den)
	if len(den) == 1 {
		var inverse fr.Element
		return ratio{num: num.scale(inverse.Inverse(&den[0]))}
	}
	return ratio{num, den}
}

func (a ratio) scale(k *fr.Element) ratio { return ratio{a.num.scale(k), a.den} }

func (a ratio) degree() int { return max(a.num.degree(), a.den.degree()) }

// times is p·q for a denominator q.
func (p polynomial) times(q polynomial) polynomial {
	if q == nil {
		return p
	}
	return p.mul(q)
}

// product of denominators.
func product(p, q polynomial) polynomial {
	if p == nil {
		return q
	}
	return p.times(q)
}
