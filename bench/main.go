// Command bench measures what the README and the design promise, on this machine: a
// model's rows, compile, set-up, witness, proof by round, verification and memory, and
// how long our prover takes against gnark's own for the same circuit, key and witness.
// The two alternate in one run, after one proof each that isn't counted, and ratios are
// medians of pairs. Besides the model it measures two circuits of known shape: range
// checks, whose wires are small, and a chain of multiplications, whose wires are not.
//
//	go run ./bench [-runs 5] [-model lenet5] [-json bench.json] [-limits]
//
// With -limits it fails where a measurement is beyond what is promised for LeNet-5 on
// two idle cores. Memory is measured in processes of their own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/consensys/gnark/logger"

	"github.com/zkml-go/zkml/prover/msm"
)

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 5, "pairs of proofs of each circuit")
	flag.StringVar(&o.model, "model", "lenet5", "a folder of testdata")
	flag.StringVar(&o.testdata, "testdata", "testdata", "the folder of the models")
	flag.BoolVar(&o.limits, "limits", false, "fail where a measurement is beyond its limit")
	flag.StringVar(&o.json, "json", "", "`file` to write all figures to")
	flag.StringVar(&o.peak, "peak", "", "print the peak memory of one proof by `prover` (ours, frugal, gnark) and do nothing else")
	flag.StringVar(&o.only, "only", "", "measure only the circuit of this `name`")
	flag.Parse()
	logger.Disable()
	if err := run(context.Background(), &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	runs                  int
	model, testdata, json string
	peak, only            string
	limits                bool
}

// result is all that a run measured.
type result struct {
	Time        time.Time  `json:"time"`
	Runs        int        `json:"runs"`
	Cores       int        `json:"cores"`
	Accelerated bool       `json:"accelerated"` // the vector instructions were used
	Circuits    []*figures `json:"circuits"`
}

func run(ctx context.Context, o *options) error {
	if o.runs < 1 {
		return fmt.Errorf("-runs %d: want at least 1", o.runs)
	}
	if o.peak != "" {
		return printPeak(ctx, o)
	}
	r := &result{Time: time.Now().UTC().Truncate(time.Second), Runs: o.runs, Cores: cores(), Accelerated: msm.Accelerated}
	for _, make := range subjects(o) {
		if o.only != "" && o.only != make.name {
			continue
		}
		s, err := make.make(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", make.name, err)
		}
		f, err := measure(ctx, s, o)
		if err != nil {
			return fmt.Errorf("%s: %w", make.name, err)
		}
		f.print(os.Stdout)
		r.Circuits = append(r.Circuits, f)
	}
	if o.json != "" {
		b, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	err := compare(os.Stdout, r, o)
	for _, f := range r.Circuits {
		if f.Name == o.model {
			fmt.Printf("bench: stock/ours prove ratio %.2f on %s, %.0f rows per CPU-second\n", f.Ratio, f.Name, f.RowsPerCPUSecond)
		}
	}
	return err
}
