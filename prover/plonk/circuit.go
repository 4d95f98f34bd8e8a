package plonk

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/iop"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Options say where a prover works and how much memory it may keep.
type Options struct {
	// Device does the work; nil is a [CPU] of the prover's own.
	Device Device
	// LowMemory computes the fixed polynomials' values on cosets anew in every
	// proof, no more than four at a time, instead of keeping those of all three
	// cosets: a proof in a domain of n with c commitments takes 32n·(17+3c) bytes
	// less, and about an eighth longer.
	LowMemory bool
}

// Prover proves one circuit. It holds what depends on the circuit alone, so that a
// second proof costs only what depends on the witness. Several proofs may be made at
// once.
type Prover struct {
	device Device
	system *cs.SparseR1CS
	vk     *gnark.VerifyingKey

	n           int // size of the domain
	used        int // rows that public words and constraints take; the rest is padding
	nbPublic    int
	commitments constraint.PlonkCommitments

	powers, lagrange Bases // [τⁱ]₁ for i < n+3, [Lᵢ(τ)]₁ for i < n
	// low and high are [τⁱ]₁ and [τⁿ⁺ⁱ]₁ for i < 3.
	low, high [3]bn254.G1Affine
	// padding is Σ [Lᵢ(τ)]₁ over the rows of the padding.
	padding bn254.G1Affine

	// permutation has, for each place of the columns L, R, O, the one that it is sent to:
	// row + n·column. It is in memory.
	permutation [3][]uint32
	// fixed are the coefficients of the fixed polynomials, in the order of their
	// names below, and then those of the Qcp.
	fixed []Vector
	// sigmaTop are the highest coefficients of S₁, S₂, S₃, the highest first.
	sigmaTop [3][]fr.Element
	// identity is the polynomial X on the domain, in the device's order on cosets.
	identity Vector
	cosets   [nbCosets]coset
}

// Indices of fixed polynomials.
const (
	ql = iota
	qr
	qm
	qo
	qk
	s1
	s2
	s3
	qcp // the first Qcp
)

// minDomain is the least size of a domain: a blinding polynomial fits below it.
const minDomain = 4

// nbCosets is on how many cosets of n elements the quotient is evaluated. It has
// 3n+6 coefficients; see [proof.quotient] for the six that three cosets leave open.
const nbCosets = 3

// coset is shift·⟨ω⟩, on which Xⁿ is power everywhere.
type coset struct {
	shift, power fr.Element
	// fixed are the values of the fixed polynomials, by the same indices; nil where
	// they aren't kept, and for Qk always.
	fixed []Vector
}

// ErrKey is matched when a key can't be the circuit's.
var ErrKey = errors.New("the key isn't the circuit's")

// New prepares the proofs of a circuit. The key must be the circuit's; only its sizes
// are compared.
func New(ctx context.Context, system *cs.SparseR1CS, pk *gnark.ProvingKey, o Options) (*Prover, error) {
	p := &Prover{device: o.Device, system: system, vk: pk.Vk}
	if p.device == nil {
		p.device = new(CPU)
	}
	var ok bool
	if p.commitments, ok = system.CommitmentInfo.(constraint.PlonkCommitments); !ok {
		return nil, fmt.Errorf("circuit has commitments of type %T", system.CommitmentInfo)
	}
	p.nbPublic = len(system.Public)
	p.used = p.nbPublic + system.GetNbConstraints()
	if p.used <= minDomain/2 {
		return nil, fmt.Errorf("circuit has %d rows: the least domain is %d", p.used, minDomain)
	}
	if p.vk == nil {
		return nil, fmt.Errorf("%w: it has no verifying key", ErrKey)
	}
	domain := fft.NewDomain(uint64(p.used), fft.WithoutPrecompute())
	p.n = int(domain.Cardinality)
	if uint64(p.n) != p.vk.Size || p.vk.NbPublicVariables != uint64(p.nbPublic) || len(p.vk.Qcp) != len(p.commitments) {
		return nil, fmt.Errorf("%w: it has a domain of %d, %d public words and %d commitments: the circuit has %d, %d and %d",
			ErrKey, p.vk.Size, p.vk.NbPublicVariables, len(p.vk.Qcp), p.n, p.nbPublic, len(p.commitments))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.loadBases(pk); err != nil {
		return nil, err
	}
	if err := p.placeCosets(); err != nil {
		return nil, err
	}
	if err := p.loadFixed(ctx, gnark.NewTrace(system, domain), o.LowMemory); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// loadBases makes the reference string resident.
func (p *Prover) loadBases(pk *gnark.ProvingKey) (err error) {
	n := p.n
	if len(pk.Kzg.G1) < n+3 || len(pk.KzgLagrange.G1) < n {
		return fmt.Errorf("%w: its reference string has %d and %d points for a domain of %d", ErrKey, len(pk.Kzg.G1), len(pk.KzgLagrange.G1), n)
	}
	copy(p.low[:], pk.Kzg.G1[:3])
	copy(p.high[:], pk.Kzg.G1[n:n+3])
	var sum bn254.G1Jac
	for i := p.used; i < n; i++ {
		sum.AddMixed(&pk.KzgLagrange.G1[i])
	}
	p.padding.FromJacobian(&sum)
	if p.powers, err = p.device.LoadBases(pk.Kzg.G1[:n+3]); err != nil {
		return err
	}
	p.lagrange, err = p.device.LoadBases(pk.KzgLagrange.G1[:n])
	return err
}

// placeCosets chooses g·ωᵢ for the shifts, ωᵢ the powers of a primitive 4n-th root of
// unity and g a generator of all of the field: then the three n-th powers differ from
// one another and from 1.
func (p *Prover) placeCosets() error {
	root, err := fr.Generator(uint64(4 * p.n))
	if err != nil {
		return fmt.Errorf("domain of %d: %w", p.n, err)
	}
	shift := p.vk.CosetShift
	for i := range p.cosets {
		p.cosets[i] = coset{shift: shift, power: power(shift, p.n)}
		shift.Mul(&shift, &root)
	}
	return nil
}

// loadFixed brings the fixed polynomials into the forms that proofs use: the trace's
// columns become coefficients, and these values on the cosets.
func (p *Prover) loadFixed(ctx context.Context, trace *gnark.Trace, lowMemory bool) error {
	columns := []*iop.Polynomial{
		ql: trace.Ql, qr: trace.Qr, qm: trace.Qm, qo: trace.Qo, qk: trace.Qk,
		s1: trace.S1, s2: trace.S2, s3: trace.S3,
	}
	for _, column := range append(columns, trace.Qcp...) {
		v, err := p.device.Upload(column.Coefficients())
		if err != nil {
			return err
		}
		p.fixed = append(p.fixed, v)
	}
	for i := range p.permutation {
		p.permutation[i] = make([]uint32, p.n)
		for row := range p.permutation[i] {
			p.permutation[i][row] = uint32(trace.S[i*p.n+row])
		}
	}
	if err := p.device.Interpolate(ctx, p.fixed...); err != nil {
		return err
	}
	for i := range p.sigmaTop {
		p.sigmaTop[i] = make([]fr.Element, min(p.n, nbTop))
		if err := p.readTop(p.sigmaTop[i], p.fixed[s1+i]); err != nil {
			return err
		}
	}
	if err := p.loadIdentity(ctx); err != nil {
		return err
	}
	if lowMemory {
		return nil
	}
	for i := range p.cosets {
		if err := p.keepOn(ctx, &p.cosets[i]); err != nil {
			return err
		}
	}
	runtime.GC() // the trace has left as much again, which would add to the proof's peak
	return nil
}

// loadIdentity evaluates the polynomial X on the domain.
func (p *Prover) loadIdentity(ctx context.Context) error {
	x := make([]fr.Element, p.n)
	x[1].SetOne()
	coefficients, err := p.device.Upload(x)
	if err != nil {
		return err
	}
	defer p.device.Free(coefficients)
	if p.identity, err = p.device.Allocate(p.n); err != nil {
		return err
	}
	return p.device.ToCoset(ctx, fr.One(), Transform{coefficients, p.identity})
}

// keepOn keeps the values of the fixed polynomials on a coset, except for those of Qk,
// which is evaluated with the public words.
func (p *Prover) keepOn(ctx context.Context, c *coset) error {
	var indices []int
	for i := range p.fixed {
		if i != qk {
			indices = append(indices, i)
		}
	}
	values, err := p.valuesOn(ctx, c, indices)
	if err != nil {
		return err
	}
	c.fixed = make([]Vector, len(p.fixed))
	for k, i := range indices {
		c.fixed[i] = values[k]
	}
	return nil
}

// valuesOn returns the values of fixed polynomials on a coset.
func (p *Prover) valuesOn(ctx context.Context, c *coset, indices []int) ([]Vector, error) {
	var values []Vector
	var transforms []Transform
	for _, i := range indices {
		v, err := p.device.Allocate(p.n)
		if err != nil {
			p.device.Free(values...)
			return nil, err
		}
		values = append(values, v)
		transforms = append(transforms, Transform{p.fixed[i], v})
	}
	if err := p.device.ToCoset(ctx, c.shift, transforms...); err != nil {
		p.device.Free(values...)
		return nil, err
	}
	return values, nil
}

// Close frees what the prover holds on its device.
func (p *Prover) Close() {
	p.device.Free(p.fixed...)
	p.device.Free(p.identity)
	for i := range p.cosets {
		p.device.Free(p.cosets[i].fixed...)
		p.cosets[i].fixed = nil
	}
	p.fixed, p.identity = nil, nil
}

// readTop reads a vector's last elements in reverse order.
func (p *Prover) readTop(top []fr.Element, v Vector) error {
	n := v.Len()
	if err := p.device.Read(top, v.Slice(n-len(top), n)); err != nil {
		return err
	}
	for i, j := 0, len(top)-1; i < j; i, j = i+1, j-1 {
		top[i], top[j] = top[j], top[i]
	}
	return nil
}
