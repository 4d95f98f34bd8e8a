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

// figures are what was measured of one circuit: times in seconds, medians of the runs.
type figures struct {
	Name        string  `json:"name"`
	Rows        int     `json:"rows"`
	Domain      uint64  `json:"domain"`
	Commitments int     `json:"commitments"`
	Compile     float64 `json:"compile,omitempty"`
	SetUp       float64 `json:"set_up,omitempty"` // with the development string
	Prepare     float64 `json:"prepare"`          // once per circuit
	Witness     float64 `json:"witness"`          // from inputs to all wires
	// A proof, the witness solved in it.
	Ours             float64 `json:"ours"`
	OursCPU          float64 `json:"ours_cpu"`
	Gnark            float64 `json:"gnark"`
	GnarkCPU         float64 `json:"gnark_cpu"`
	Ratio            float64 `json:"ratio"` // gnark's time over ours
	RatioCPU         float64 `json:"ratio_cpu"`
	RowsPerCPUSecond float64 `json:"rows_per_cpu_second"`
	// Rounds and Work are CPU times of our proof, by round and by what is done.
	Rounds     map[string]float64 `json:"rounds_cpu"`
	Work       map[string]float64 `json:"work_cpu"`
	Verify     float64            `json:"verify"`
	ProofBytes int                `json:"proof_bytes"`
	// PeakMemory is by prover, in megabytes.
	PeakMemory map[string]float64 `json:"peak_memory"`
}

// sample is one measurement of wall and CPU time.
type sample struct{ wall, cpu time.Duration }

// timed measures a call, from a heap without garbage.
func timed(call func() error) (sample, error) {
	runtime.GC()
	wall, used := time.Now(), cpuTime()
	err := call()
	return sample{time.Since(wall), cpuTime() - used}, err
}

// measure proves a circuit in pairs, ours and gnark's.
func measure(ctx context.Context, s *subject, o *options) (*figures, error) {
	f := &figures{
		Name: s.name, Rows: s.rows(), Domain: s.key.Vk.Size, Commitments: len(s.key.Vk.Qcp),
		Compile: s.compile.Seconds(), SetUp: s.setUp.Seconds(),
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
	var m measurements
	for i := range o.runs + 1 { // the first pair isn't counted
		if err := m.pair(ctx, s, ours, p, w, f); err != nil {
			return nil, err
		}
		if i == 0 {
			m = measurements{}
		}
	}
	m.summarize(f)
	f.PeakMemory, err = peaks(ctx, s, o)
	return f, err
}

// measurements are those of all pairs.
type measurements struct {
	ours, gnark, witness, verify []sample
	rounds, work                 []map[string]time.Duration
}

// pair makes one proof with each prover and verifies ours.
func (m *measurements) pair(ctx context.Context, s *subject, ours *plonk.Prover, p *profile, w witness.Witness, f *figures) error {
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
	var proof *gnark.Proof
	p.begin()
	made, err := timed(func() (err error) {
		proof, err = ours.Prove(ctx, w, plonk.ProofOptions{Solver: s.solver, Progress: p.round})
		return err
	})
	if err != nil {
		return err
	}
	rounds, work := p.end(made.cpu)
	checked, err := timed(func() error {
		return gnark.Verify(proof, s.key.Vk, w.Vector().(fr.Vector)[:s.system.GetNbPublicVariables()])
	})
	if err != nil {
		return fmt.Errorf("our proof: %w", err)
	}
	f.ProofBytes = len(proof.MarshalSolidity())
	stock, err := timed(func() error { return proveStock(s, w) })
	m.ours, m.gnark = append(m.ours, made), append(m.gnark, stock)
	m.witness, m.verify = append(m.witness, solved), append(m.verify, checked)
	m.rounds, m.work = append(m.rounds, rounds), append(m.work, work)
	return err
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
	f.Rounds, f.Work = medians(m.rounds), medians(m.work)
}

func median[T any](samples []T, value func(T) float64) float64 {
	values := make([]float64, len(samples))
	for i := range samples {
		values[i] = value(samples[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// ratio returns the median of the ratios of measurements taken side by side.
func ratio(a, b []sample, value func(sample) float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = value(a[i]) / value(b[i])
	}
	return median(ratios, func(r float64) float64 { return r })
}

// medians returns the median of each key.
func medians(samples []map[string]time.Duration) map[string]float64 {
	m := make(map[string]float64)
	for key := range samples[0] {
		m[key] = median(samples, func(s map[string]time.Duration) float64 { return s[key].Seconds() })
	}
	return m
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
