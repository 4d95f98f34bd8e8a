package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/zkml-go/zkml/prover/plonk"
)

// rower writes lines of the printed table for one circuit.
func rower(w io.Writer, name string) func(what, format string, values ...any) {
	return func(what, format string, values ...any) {
		fmt.Fprintf(w, "%-18s %-36s "+format+"\n", append([]any{name, what}, values...)...)
	}
}

// print writes one circuit's figures as a table.
func (f *figures) print(w io.Writer) {
	row := rower(w, f.Name)
	row("rows, domain, pairs of proofs", "%d, %d, %d", f.Rows, f.Domain, f.Runs)
	if f.Compile > 0 {
		row("load, quantize and compile", "%.2f s", f.Compile)
		row("development srs", "%.2f s", f.String)
		row("set-up", "%.2f s", f.SetUp)
	}
	row("prepare, once per circuit", "%.2f s", f.Prepare)
	row("witness", "%.1f ms", 1000*f.Witness)
	row("prove: ours", "%.2f s, %.2f CPU-s", f.Ours, f.OursCPU)
	row("prove: gnark", "%.2f s, %.2f CPU-s", f.Gnark, f.GnarkCPU)
	row("gnark/ours", "%.2f, of CPU time %.2f", f.Ratio, f.RatioCPU)
	row("rows per CPU-second", "%.0f", f.RowsPerCPUSecond)
	for r := range plonk.Round(plonk.NbRounds) {
		sum := 0.0
		for _, seconds := range f.RoundsCPU[r.String()] {
			sum += seconds
		}
		row("  round "+r.String(), "%.3f s, %4.1f %% of CPU", f.Rounds[r.String()], 100*sum/f.OursCPU)
	}
	work := f.workCPU()
	for _, kind := range kinds {
		row("  work "+kind, "%4.1f %% of CPU", 100*work[kind]/f.OursCPU)
	}
	row("  terms, transforms of the domain", "%d, %.1f", f.Terms, f.Transforms)
	for _, prover := range slices.Sorted(maps.Keys(f.PeakMemory)) {
		row("peak memory: "+prover, "%.0f MB", f.PeakMemory[prover])
	}
	row("verify", "%.1f ms", 1000*f.Verify)
	row("proof in calldata", "%d bytes", f.ProofBytes)
	if f.Gas != nil {
		row("gas: verifier, transaction", "%d, %d", f.Gas.Execution, f.Gas.Transaction)
	}
	if f.Accuracy != nil {
		row("largest error, range", "%.3g, %.3g in %d answers", f.Accuracy.MaxError, f.Accuracy.Range, f.Accuracy.Inputs)
	}
}

// print writes what a batch gains.
func (b *batch) print(w io.Writer, f *figures) {
	if b == nil {
		return
	}
	row := rower(w, f.Name)
	row("rows per added inference, budget", "%.0f, %.0f", b.RowsPerAdded, b.Budget)
	row("prove: for each inference", "%.4f s, %.4f CPU-s", b.PerInference, b.PerInferenceCPU)
	row("one inference's proof / that", "%.2f, of CPU time %.2f", b.Gain, b.GainCPU)
}

// promise is a measurement and the limit that is promised for it.
type promise struct {
	what        string
	value       float64
	least, most float64 // most is 0 where least is the limit
}

// speed is how many times gnark's prover our prover is promised to be, with the vector
// instructions, on the circuits for which that is promised.
var speed = map[string]float64{mainModel: 1.8, "range checks": 1.8, "chain": 1.5}

// speedPlain is that without the vector instructions.
const speedPlain = 1.3

// promises are what is promised of the circuits that were measured.
func (r *result) promises() (all []promise) {
	for _, f := range r.Circuits {
		if least, ok := speed[f.Name]; ok {
			if !r.Machine.Accelerated {
				least = speedPlain
			}
			all = append(all, promise{what: f.Name + ": gnark/ours", value: f.Ratio, least: least})
			if m := f.PeakMemory; m != nil {
				all = append(all, promise{what: f.Name + ": memory, ours/gnark", value: m["ours"] / m["gnark"], most: 1})
			}
		}
		if f.Batch != nil {
			all = append(all, promise{what: f.Name + ": rows per added inference", value: f.Batch.RowsPerAdded, most: f.Batch.Budget})
		}
		if f.Name != mainModel {
			continue
		}
		if r.Machine.Accelerated {
			all = append(all, promise{what: f.Name + ": rows per CPU-second", value: f.RowsPerCPUSecond, least: 33000})
		}
		all = append(all,
			promise{what: f.Name + ": witness / prove", value: f.Witness / f.Ours, most: 0.15},
			promise{what: f.Name + ": verify, ms", value: 1000 * f.Verify, most: 5},
			promise{what: f.Name + ": load, quantize and compile, s", value: f.Compile, most: 5})
	}
	return all
}

// compare prints measurements beside their limits, and the line that sums a run up. It
// fails if it is told to and a measurement is beyond its limit.
func compare(w io.Writer, r *result, o *options) error {
	beyond := 0
	for _, p := range r.promises() {
		verdict, limit := "within", fmt.Sprintf("at least %v", p.least)
		ok := p.value >= p.least
		if p.most > 0 {
			limit, ok = fmt.Sprintf("at most %v", p.most), p.value <= p.most
		}
		if !ok {
			verdict = "beyond"
			beyond++
		}
		fmt.Fprintf(w, "%-46s %10.3f  %s the limit: %s\n", p.what, p.value, verdict, limit)
	}
	if f := r.find(mainModel); f != nil {
		fmt.Fprintf(w, "bench: stock/ours prove ratio %.2f on %s, %.0f rows per CPU-second\n", f.Ratio, f.Name, f.RowsPerCPUSecond)
	}
	if o.limits && beyond > 0 {
		return fmt.Errorf("%d measurements are beyond their limits", beyond)
	}
	return nil
}
