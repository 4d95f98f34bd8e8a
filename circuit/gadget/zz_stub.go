package gadget

import "errors"

var errPending = errors.New("this operator can't be proven yet")

// MaxRescale is replaced by pool.go.
func (b *Builder) MaxRescale(g [][]Expr, in Interval, r Rounding) []Expr {
	b.fail(errPending)
	return make([]Expr, len(g))
}

// Max is replaced by max.go.
func (b *Builder) Max(g [][]Expr, in Interval) []Expr { return b.MaxRescale(g, in, Rounding{}) }

// ArgMax is replaced by argmax.go.
func (b *Builder) ArgMax(g []Expr, in Interval, last bool) Expr { b.fail(errPending); return Expr{} }

// Threshold is replaced by max.go.
func (b *Builder) Threshold(x Expr, t int64, in Interval) Expr { b.fail(errPending); return Expr{} }

// Div is replaced by div.go.
func (b *Builder) Div(x, y []Expr, a, d Interval, shift uint) []Expr {
	b.fail(errPending)
	return make([]Expr, len(x))
}
