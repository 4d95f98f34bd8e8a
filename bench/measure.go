package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
	frontend "github.com/consensys/gnark/frontend/cs"

	"github.com/zkml-go/zkml/prover/plonk"
)

// sample is one measurement of wall and CPU time, or a reading of both clocks.
type sample struct{ wall, cpu time.Duration }

// now reads both clocks.
func now() sample { return sample{time.Since(started), cpuTime()} }

var started = time.Now()

func (s sample) less(t sample) sample { return sample{s.wall - t.wall, s.cpu - t.cpu} }

// timed measures a call, from a heap without garbage.
func timed(call func() error) (sample, error) {
	runtime.GC()
	start := now()
	err := call()
	return now().less(start), err
}

// measure measures a circuit: times here, memory in processes of their own.
func measure(ctx context.Context, s *subject, m maker, o *options) (*figures, error) {
	f, err := measureTimes(ctx, s, m)
	if err != nil {
		return nil, err
	}
	f.PeakMemory, err = peaks(ctx, s, o)
	return f, err
}

// measureTimes proves a circuit in pairs, ours and gnark's, after one pair that isn't
// counted, and tries the last proof in the contract.
func measureTimes(ctx context.Context, s *subject, m maker) (*figures, error) {
	f := &figures{
		Name: s.name, Runs: m.most, Rows: s.rows(), Domain: s.key.Vk.Size, Commitments: len(s.key.Vk.Qcp),
		PublicWords: s.system.GetNbPublicVariables(), Inferences: s.inferences,
		Compile: s.compile.Seconds(), String: s.str.Seconds(), SetUp: s.setUp.Seconds(),
	}
	p := &profile{Device: new(plonk.CPU)}
	var ours *plonk.Prover
	prepared, err := timed(func() (err error) {
		ours, err = plonk.New(ctx, s.system, s.key, plonk.Options{Device: p})
		return err
	})
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	f.Prepare = prepared.wall.Seconds()
	w, err := s.assign()
	if err != nil {
		return nil, err
	}
	var all measurements
	for i := range m.most + 1 {
		if err := all.pair(ctx, s, ours, p, w); err != nil {
			return nil, err
		}
		if i == 0 {
			all = measurements{proof: all.proof}
		}
	}
	all.summarize(f)
	f.Terms, f.Transforms = p.terms, float64(p.elements)/float64(f.Domain)
	f.ProofBytes = len(all.proof.MarshalSolidity())
	if s.model != nil {
		if f.Gas, err = s.gas(all.proof, publicWords(s, w)); err != nil {
			return nil, err
		}
		if f.Accuracy, err = s.accuracy(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// publicWords are the public words of a witness.
func publicWords(s *subject, w witness.Witness) fr.Vector {
	return w.Vector().(fr.Vector)[:s.system.GetNbPublicVariables()]
}

// measurements are those of all pairs.
type measurements struct {
	ours, gnark, witness, verify []sample
	rounds                       []map[string]time.Duration
	work                         []map[string]map[string]time.Duration
	proof                        *gnark.Proof // the last of ours
}

// pair makes one proof with each prover and verifies ours. The even pairs begin with
// gnark's, so that neither always finds the machine as the other left it.
func (m *measurements) pair(ctx context.Context, s *subject, ours *plonk.Prover, p *profile, w witness.Witness) error {
	solved, err := timed(func() error {
		w, err := s.assign()
		if err != nil {
			return err
		}
		_, err = s.system.Solve(w, append(slices.Clone(s.solver), standIn)...)
		return err
	})
	if err != nil {
		return err
	}
	m.witness = append(m.witness, solved)
	stock := func() error {
		took, err := timed(func() error { return proveStock(s, w) })
		m.gnark = append(m.gnark, took)
		return err
	}
	gnarkFirst := len(m.witness)%2 == 0
	if gnarkFirst {
		if err := stock(); err != nil {
			return err
		}
	}
	p.begin()
	made, err := timed(func() (err error) {
		m.proof, err = ours.Prove(ctx, w, plonk.ProofOptions{Solver: s.solver, Progress: p.round})
		return err
	})
	if err != nil {
		return err
	}
	rounds, work := p.end()
	m.ours, m.rounds, m.work = append(m.ours, made), append(m.rounds, rounds), append(m.work, work)
	checked, err := timed(func() error { return gnark.Verify(m.proof, s.key.Vk, publicWords(s, w)) })
	if err != nil {
		return fmt.Errorf("our proof: %w", err)
	}
	m.verify = append(m.verify, checked)
	if !gnarkFirst {
		return stock()
	}
	return nil
}

// proveStock makes a proof with gnark's prover, blinded as ours are.
func proveStock(s *subject, w witness.Witness) error {
	_, err := gnark.Prove(s.system, s.key, w, backend.WithStatisticalZeroKnowledge(), backend.WithSolverOptions(s.solver...))
	return err
}

func wall(s sample) float64 { return s.wall.Seconds() }
func cpu(s sample) float64  { return s.cpu.Seconds() }

func (m *measurements) summarize(f *figures) {
	f.Witness, f.Verify = median(m.witness, wall), median(m.verify, wall)
	f.Ours, f.OursCPU = median(m.ours, wall), median(m.ours, cpu)
	f.Gnark, f.GnarkCPU = median(m.gnark, wall), median(m.gnark, cpu)
	f.Ratio, f.RatioCPU = ratio(m.gnark, m.ours, wall), ratio(m.gnark, m.ours, cpu)
	f.RowsPerCPUSecond = float64(f.Rows) / f.OursCPU
	f.Rounds, f.RoundsCPU = make(map[string]float64), make(map[string]map[string]float64)
	for round := range m.rounds[0] {
		f.Rounds[round] = median(m.rounds, func(r map[string]time.Duration) float64 { return r[round].Seconds() })
		f.RoundsCPU[round] = make(map[string]float64)
		for _, kind := range kinds {
			f.RoundsCPU[round][kind] = median(m.work, func(w map[string]map[string]time.Duration) float64 { return w[round][kind].Seconds() })
		}
	}
}

// median returns the middle one of the samples' values, of an even number the mean of
// the two in the middle.
func median[T any](samples []T, value func(T) float64) float64 {
	values := make([]float64, len(samples))
	for i := range samples {
		values[i] = value(samples[i])
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// ratio returns the median of the ratios of measurements taken side by side.
func ratio(a, b []sample, value func(sample) float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = value(a[i]) / value(b[i])
	}
	return median(ratios, func(r float64) float64 { return r })
}

// standIn replaces the commitment's hash where a witness is solved without a proof.
var standIn = solver.OverrideHint(
	solver.GetHintID(frontend.Bsb22CommitmentComputePlaceholder),
	func(mod *big.Int, in, out []*big.Int) error {
		h := sha256.New()
		for _, v := range in {
			h.Write(v.Bytes())
		}
		out[0].SetBytes(h.Sum(nil)).Mod(out[0], mod)
		return nil
	})
