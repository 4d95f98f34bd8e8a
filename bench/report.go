package main

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"

	"github.com/zkml-go/zkml/prover/plonk"
)

func cores() int { return runtime.GOMAXPROCS(0) }

// print writes one circuit's figures as a table.
func (f *figures) print(w io.Writer) {
	row := func(what, format string, values ...any) {
		fmt.Fprintf(w, "%-14s %-34s "+format+"\n", append([]any{f.Name, what}, values...)...)
	}
	row("rows, domain", "%d, %d", f.Rows, f.Domain)
	if f.Compile > 0 {
		row("load, quantize and compile", "%.2f s", f.Compile)
		row("set-up, with development srs", "%.2f s", f.SetUp)
	}
	row("prepare, once per circuit", "%.2f s", f.Prepare)
	row("witness", "%.1f ms", 1000*f.Witness)
	row("prove: ours", "%.2f s, %.2f CPU-s", f.Ours, f.OursCPU)
	row("prove: gnark", "%.2f s, %.2f CPU-s", f.Gnark, f.GnarkCPU)
	row("gnark/ours", "%.2f, of CPU time %.2f", f.Ratio, f.RatioCPU)
	row("rows per CPU-second", "%.0f", f.RowsPerCPUSecond)
	for r := range plonk.Round(plonk.NbRounds) {
		row("  round "+r.String(), "%5.1f %%", 100*f.Rounds[r.String()]/f.OursCPU)
	}
	for _, kind := range []string{multiExp, ntt, vectors, other} {
		row("  work "+kind, "%5.1f %%", 100*f.Work[kind]/f.OursCPU)
	}
	for _, prover := range slices.Sorted(maps.Keys(f.PeakMemory)) {
		row("peak memory: "+prover, "%.0f MB", f.PeakMemory[prover])
	}
	row("verify", "%.1f ms", 1000*f.Verify)
	row("proof in calldata", "%d bytes", f.ProofBytes)
}

// promise is a measurement and the limit that is promised for it.
type promise struct {
	what        string
	value       float64
	least, most float64 // most is 0 where least is the limit
}

// promises are what is promised of the circuits that were measured.
func promises(r *result, model string) (all []promise) {
	for _, f := range r.Circuits {
		least := 1.8
		switch {
		case !r.Accelerated:
			least = 1.3
		case f.Name == "chain":
			least = 1.5
		}
		all = append(all, promise{what: f.Name + ": gnark/ours", value: f.Ratio, least: least})
		if m := f.PeakMemory; m != nil {
			all = append(all, promise{what: f.Name + ": memory, ours/gnark", value: m["ours"] / m["gnark"], most: 1})
		}
		if f.Name != model {
			continue
		}
		if r.Accelerated {
			all = append(all, promise{what: model + ": rows per CPU-second", value: f.RowsPerCPUSecond, least: 33000})
		}
		all = append(all,
			promise{what: model + ": witness / prove", value: f.Witness / f.Ours, most: 0.15},
			promise{what: model + ": verify, ms", value: 1000 * f.Verify, most: 5},
			promise{what: model + ": load, quantize and compile, s", value: f.Compile, most: 5})
	}
	return all
}

// compare prints measurements beside their limits, and fails if it is told to and one
// is beyond.
func compare(w io.Writer, r *result, o *options) error {
	beyond := 0
	for _, p := range promises(r, o.model) {
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
	if o.limits && beyond > 0 {
		return fmt.Errorf("%d measurements are beyond their limits", beyond)
	}
	return nil
}
