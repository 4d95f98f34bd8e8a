package gadget

// Horner's rule at the challenge.

// term is a value times a power.
type term struct {
	exponent int
	value    Expr
}

// sparseHorner returns Σ c^(unit·exponent)·value. The exponents descend.
func (b *Builder) sparseHorner(unit int, terms []term) Expr {
	var sum Expr
	for i, t := range terms {
		next := 0
		if i+1 < len(terms) {
			next = terms[i+1].exponent
		}
		sum = b.Add(sum, t.value)
		if gap := t.exponent - next; gap > 0 {
			sum = b.Mul(sum, b.power(unit*gap))
		}
	}
	return sum
}

// sparseHornerRows is the number of rows of sparseHorner.
func sparseHornerRows(terms []term) int {
	rows := max(0, len(terms)-1)
	for i, t := range terms {
		if i+1 < len(terms) && t.exponent > terms[i+1].exponent || i+1 == len(terms) && t.exponent > 0 {
			rows++
		}
	}
	return rows
}

// horner returns Σ_i c^(unit·i)·terms[i], two rows for each term but the first. Terms
// that are the constant 0, such as padding, cost nothing.
func (b *Builder) horner(unit int, terms []Expr) Expr {
	var sum Expr
	exponent := 0 // of the last term added
	shift := func(to int) {
		if !sum.isZero() {
			sum = b.Mul(sum, b.power(unit*(exponent-to)))
		}
		exponent = to
	}
	for i := len(terms) - 1; i >= 0; i-- {
		if !terms[i].isZero() {
			shift(i)
			sum = b.Add(sum, terms[i])
		}
	}
	shift(0)
	return sum
}

// isZero reports whether x is the constant 0.
func (x Expr) isZero() bool { return x.IsConst() && x.Const.IsZero() }

// power returns c^n of the challenge c, at most 2·log2(n) rows, once for a circuit.
func (b *Builder) power(n int) Expr {
	if n == 0 {
		return Constant(1)
	}
	if n == 1 {
		return b.Challenge("")
	}
	if p, ok := b.powers[n]; ok {
		return p
	}
	half := b.power(n / 2)
	region := b.region
	b.region = Region{"", "challenge"}
	p := b.Mul(half, half)
	b.region = region
	if n%2 == 1 {
		c := b.power(1)
		b.region = Region{"", "challenge"}
		p = b.Mul(p, c)
		b.region = region
	}
	b.powers[n] = p
	return p
}
