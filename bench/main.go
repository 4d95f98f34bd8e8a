// Command bench measures what the README and the design promise, on this machine: of
// each model of testdata, of EZKL's lenet_5, large_mlp and nanoGPT where they lie beside
// the repository, and of batches, the rows, compile, set-up, witness, proof by round,
// verification, memory, gas and error, and how long our prover takes against gnark's own
// for the same circuit, key and witness. The two alternate in one run, after one proof
// each that isn't counted, and ratios are medians of pairs. Besides the models it
// measures two circuits of known shape: range checks, whose wires are small, and a chain
// of multiplications, whose wires are not. README.md has the figures of the last run.
//
//	go run ./bench [-runs 5] [-only lenet5,chain] [-json bench.json] [-limits]
//	go run ./bench -ezkl bin/ezkl/bin/python [-ezkl-only] [-json bench.json]
//	go run ./bench -report bench.json
//
// With -limits it fails where a measurement is beyond what is promised for LeNet-5 on
// two idle cores. With -ezkl it also has EZKL prove the same inputs (ezkl.go). With
// -report it measures nothing and writes a run's file into results.json, the charts and
// the tables of README.md. Memory is measured in processes of their own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/consensys/gnark/logger"
)

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 5, "pairs of proofs of each circuit")
	flag.StringVar(&o.testdata, "testdata", "testdata", "the `folder` of the models")
	flag.StringVar(&o.conformance, "conformance", "../shared/conformance/ezkl", "the `folder` of EZKL's networks")
	flag.BoolVar(&o.limits, "limits", false, "fail where a measurement is beyond its limit")
	flag.StringVar(&o.json, "json", "", "`file` to write all figures to")
	flag.StringVar(&o.only, "only", "", "measure only the circuits of these `names`, separated by commas, and keep the others in the file of -json")
	flag.StringVar(&o.ezkl, "ezkl", "", "Python `program` with the package ezkl: have EZKL prove the models too")
	flag.BoolVar(&o.ezklOnly, "ezkl-only", false, "measure only EZKL, and add it to the figures in the file of -json")
	flag.DurationVar(&o.ezklLimit, "ezkl-limit", 30*time.Minute, "the longest that one step of EZKL may take")
	flag.StringVar(&o.peak, "peak", "", "print the peak memory of one proof by `prover` (ours, frugal, gnark) and do nothing else")
	flag.StringVar(&o.report, "report", "", "write results.json, charts and README.md in ./bench from this `file` of a run, and do nothing else")
	flag.Parse()
	logger.Disable()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	runs                        int
	testdata, conformance, json string
	peak, only, report          string
	limits                      bool
	ezkl                        string
	ezklOnly                    bool
	ezklLimit                   time.Duration
}

// wants reports whether a circuit is to be measured.
func (o *options) wants(name string) bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), name)
}

func run(ctx context.Context, o *options) error {
	switch {
	case o.runs < 1:
		return fmt.Errorf("-runs %d: want at least 1", o.runs)
	case o.ezklOnly && (o.ezkl == "" || o.json == ""):
		return errors.New("-ezkl-only needs -ezkl and -json")
	case o.peak != "":
		return printPeak(ctx, o)
	case o.report != "":
		return writeReport(o.report, "bench")
	}
	all, err := subjects(o)
	if err != nil {
		return err
	}
	r := &result{Version: resultVersion}
	if o.ezklOnly || o.only != "" && o.json != "" {
		if r, err = readResult(o.json); errors.Is(err, fs.ErrNotExist) && !o.ezklOnly {
			r = &result{Version: resultVersion}
		} else if err != nil {
			return fmt.Errorf("figures are added to those of a run: %w", err)
		}
	}
	if !o.ezklOnly {
		if err := r.measure(ctx, all, o); err != nil {
			return err
		}
	}
	if o.ezkl != "" {
		if err := r.measureEZKL(ctx, all, o); err != nil {
			return err
		}
	}
	return compare(os.Stdout, r, o)
}

// measure measures all circuits but what EZKL makes of them.
func (r *result) measure(ctx context.Context, all []maker, o *options) error {
	r.Time, r.Runs, r.Machine = time.Now().UTC().Truncate(time.Second), o.runs, thisMachine()
	for _, m := range all {
		if !o.wants(m.name) {
			continue
		}
		s, err := m.make(ctx)
		if u := notSupported(m.name, err); u != nil {
			r.Unsupported = append(slices.DeleteFunc(r.Unsupported, func(u unsupported) bool { return u.Name == m.name }), *u)
			fmt.Printf("%-18s not supported: %s\n", u.Name, strings.Join(u.Nodes, "; "))
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		f, err := measure(ctx, s, m, o)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		f.print(os.Stdout)
		r.put(f, all)
		if err := r.save(o); err != nil {
			return err
		}
	}
	if err := compareBatches(r.Circuits, all); err != nil {
		return err
	}
	for _, f := range r.Circuits {
		f.Batch.print(os.Stdout, f)
	}
	return r.save(o)
}

// put adds a circuit's figures, in the order of the circuits, instead of earlier ones.
func (r *result) put(f *figures, all []maker) {
	r.Circuits = slices.DeleteFunc(r.Circuits, func(g *figures) bool { return g.Name == f.Name })
	place := func(name string) int { return slices.IndexFunc(all, func(m maker) bool { return m.name == name }) }
	i := slices.IndexFunc(r.Circuits, func(g *figures) bool { return place(g.Name) > place(f.Name) })
	if i < 0 {
		i = len(r.Circuits)
	}
	r.Circuits = slices.Insert(r.Circuits, i, f)
}

// save writes the file of the run, if one is wanted.
func (r *result) save(o *options) error {
	if o.json == "" {
		return nil
	}
	return r.write(o.json)
}
