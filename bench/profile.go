package main

import (
	"context"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover/plonk"
)

// profile is a device that measures the CPU time of what it is asked for, by round. It
// is for one proof at a time: CPU time is the process's.
type profile struct {
	plonk.Device
	rounds  map[string]time.Duration
	work    map[string]map[string]time.Duration // CPU, by round and kind
	current string
	since   sample
	// terms are those of all multi-exponentiations, elements those of all transforms.
	terms, elements int
}

// Kinds of work.
const (
	multiExp = "msm"
	ntt      = "ntt"
	vectors  = "vectors"
	other    = "other"
)

// kinds are all of them, in the order of tables.
var kinds = []string{multiExp, ntt, vectors, other}

func (p *profile) begin() {
	p.rounds, p.work = make(map[string]time.Duration), make(map[string]map[string]time.Duration)
	p.current, p.terms, p.elements = "", 0, 0
}

// round ends a round and begins one.
func (p *profile) round(r plonk.Round) {
	p.close()
	p.current, p.since = r.String(), now()
	p.work[p.current] = make(map[string]time.Duration)
}

// close ends the current round: what isn't the device's is other work.
func (p *profile) close() {
	if p.current == "" {
		return
	}
	took := now().less(p.since)
	p.rounds[p.current] = took.wall
	rest := took.cpu
	for _, device := range p.work[p.current] {
		rest -= device
	}
	p.work[p.current][other] = rest
}

// end returns the times of a proof by round, and its CPU times by round and kind.
func (p *profile) end() (rounds map[string]time.Duration, work map[string]map[string]time.Duration) {
	p.close()
	p.current = ""
	return p.rounds, p.work
}

func (p *profile) add(kind string, since time.Duration) {
	if p.current != "" {
		p.work[p.current][kind] += cpuTime() - since
	}
}

// transform counts the elements of vectors that are transformed.
func (p *profile) transform(v []plonk.Vector) {
	for i := range v {
		p.elements += v[i].Len()
	}
}

func (p *profile) Commit(ctx context.Context, bases plonk.Bases, columns ...plonk.Vector) ([]bn254.G1Affine, error) {
	defer p.add(multiExp, cpuTime())
	for _, c := range columns {
		p.terms += c.Len()
	}
	return p.Device.Commit(ctx, bases, columns...)
}

func (p *profile) Interpolate(ctx context.Context, v ...plonk.Vector) error {
	defer p.add(ntt, cpuTime())
	p.transform(v)
	return p.Device.Interpolate(ctx, v...)
}

func (p *profile) ToCoset(ctx context.Context, shift fr.Element, transforms ...plonk.Transform) error {
	defer p.add(ntt, cpuTime())
	for _, t := range transforms {
		p.elements += t.Values.Len()
	}
	return p.Device.ToCoset(ctx, shift, transforms...)
}

func (p *profile) FromCoset(ctx context.Context, shift fr.Element, v ...plonk.Vector) error {
	defer p.add(ntt, cpuTime())
	p.transform(v)
	return p.Device.FromCoset(ctx, shift, v...)
}

func (p *profile) Map(ctx context.Context, dst plonk.Vector, f plonk.Formula) error {
	defer p.add(vectors, cpuTime())
	return p.Device.Map(ctx, dst, f)
}

func (p *profile) Evaluate(ctx context.Context, z fr.Element, v ...plonk.Vector) ([]fr.Element, error) {
	defer p.add(vectors, cpuTime())
	return p.Device.Evaluate(ctx, z, v...)
}

func (p *profile) Divide(ctx context.Context, dst, src plonk.Vector, z, carry fr.Element) (fr.Element, error) {
	defer p.add(vectors, cpuTime())
	return p.Device.Divide(ctx, dst, src, z, carry)
}
