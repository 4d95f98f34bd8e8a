package main

import (
	"context"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover/plonk"
)

// profile is a device that measures the CPU time of what it is asked for. It is for one
// proof at a time: CPU time is the process's.
type profile struct {
	plonk.Device
	rounds, work map[string]time.Duration
	current      string
	since        time.Duration
}

// Kinds of work.
const (
	multiExp = "msm"
	ntt      = "ntt"
	vectors  = "vectors"
	other    = "other"
)

func (p *profile) begin() {
	p.rounds, p.work = make(map[string]time.Duration), make(map[string]time.Duration)
	p.current = ""
}

// round ends a round and begins one.
func (p *profile) round(r plonk.Round) {
	now := cpuTime()
	if p.current != "" {
		p.rounds[p.current] += now - p.since
	}
	p.current, p.since = r.String(), now
}

// end returns the CPU times by round and by kind of work of a proof that took total.
func (p *profile) end(total time.Duration) (rounds, work map[string]time.Duration) {
	p.rounds[p.current] += cpuTime() - p.since
	p.work[other] = total - p.work[multiExp] - p.work[ntt] - p.work[vectors]
	return p.rounds, p.work
}

func (p *profile) add(kind string, since time.Duration) {
	if p.work != nil {
		p.work[kind] += cpuTime() - since
	}
}

func (p *profile) Commit(ctx context.Context, bases plonk.Bases, columns ...plonk.Vector) ([]bn254.G1Affine, error) {
	defer p.add(multiExp, cpuTime())
	return p.Device.Commit(ctx, bases, columns...)
}

func (p *profile) Interpolate(ctx context.Context, v ...plonk.Vector) error {
	defer p.add(ntt, cpuTime())
	return p.Device.Interpolate(ctx, v...)
}

func (p *profile) ToCoset(ctx context.Context, shift fr.Element, transforms ...plonk.Transform) error {
	defer p.add(ntt, cpuTime())
	return p.Device.ToCoset(ctx, shift, transforms...)
}

func (p *profile) FromCoset(ctx context.Context, shift fr.Element, v ...plonk.Vector) error {
	defer p.add(ntt, cpuTime())
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
