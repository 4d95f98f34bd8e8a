package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/zkml-go/zkml/prover/plonk"
)

// provers are measured for memory: ours, ours with little of it, gnark's.
var provers = []string{"ours", "frugal", "gnark"}

// peakRuns is how many processes the peak is the median of: when the garbage collector runs
// makes a tenth of a difference.
const peakRuns = 3

// peaks returns the peak memory of a proof by each prover, in megabytes, each in processes of
// its own; nothing where the system doesn't tell.
func peaks(ctx context.Context, s *subject, o *options) (map[string]float64, error) {
	if peakMemory() == 0 {
		return nil, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	m := make(map[string]float64)
	for _, name := range provers {
		all := make([]float64, min(peakRuns, o.runs))
		for i := range all {
			cmd := exec.CommandContext(ctx, self, "-peak", name, "-only", s.name, "-testdata", o.testdata, "-conformance", o.conformance)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				return nil, fmt.Errorf("memory of %s: %w", name, err)
			}
			if all[i], err = strconv.ParseFloat(strings.TrimSpace(string(out)), 64); err != nil {
				return nil, err
			}
		}
		m[name] = median(all, func(mb float64) float64 { return mb })
	}
	return m, nil
}

// printPeak makes one proof and prints the process's peak memory from then on: that of
// the circuit, the key and the prover, preparation included, but not of making these.
func printPeak(ctx context.Context, o *options) error {
	all, err := subjects(o)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.name != o.only {
			continue
		}
		s, err := m.make(ctx)
		if err != nil {
			return err
		}
		w, err := s.assign()
		if err != nil {
			return err
		}
		debug.FreeOSMemory()
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // see proc(5)
			return err
		}
		switch o.peak {
		case "gnark":
			err = proveStock(s, w)
		case "ours", "frugal":
			var p *plonk.Prover
			if p, err = plonk.New(ctx, s.system, s.key, plonk.Options{LowMemory: o.peak == "frugal"}); err == nil {
				_, err = p.Prove(ctx, w, plonk.ProofOptions{Solver: s.solver})
			}
		default:
			err = fmt.Errorf("-peak %q: want one of %v", o.peak, provers)
		}
		fmt.Printf("%.1f\n", peakMemory())
		return err
	}
	return fmt.Errorf("-only %q: no such circuit", o.only)
}

// peakMemory returns the process's high-water mark of resident memory in megabytes, or
// 0 where the system doesn't tell.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kilobytes float64
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); err == nil {
			return kilobytes / 1e6 * 1024
		}
	}
	return 0
}
