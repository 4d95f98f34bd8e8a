// Command bench measures what the README and the design promise, on this machine:
// rows, compile, set-up, witness, proof and verification of models in testdata, and
// the time of a proof against gnark's own for a chain of multiplications of the same
// domain, the two alternating in one run. Ratios are medians.
//
//	go run ./bench [-runs 5] [-model lenet5] [-limits]
//
// With -limits it fails where a measurement is beyond what is promised for LeNet-5 on
// two idle cores.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/logger"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
)

func main() {
	runs := flag.Int("runs", 5, "proofs of each kind")
	model := flag.String("model", "lenet5", "a folder of testdata")
	dir := flag.String("testdata", "testdata", "the folder of the models")
	limits := flag.Bool("limits", false, "fail where a measurement is beyond its limit")
	flag.Parse()
	logger.Disable()
	promises, err := run(*dir, *model, *runs)
	if err == nil {
		err = compare(promises, *limits)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// subject is a compiled model with its keys and one witness.
type subject struct {
	circuit *circuit.Circuit
	pk      *prover.ProvingKey
	vk      *prover.VerifyingKey
	inputs  [][]int64
	// compiled is the time from file to circuit.
	compiled time.Duration
}

// promise is a measurement and the limit that is promised for it.
type promise struct {
	what        string
	value, most float64
}

// compare prints measurements beside their limits, and fails if it is told to and one
// is beyond.
func compare(promises []promise, fail bool) error {
	beyond := 0
	for _, p := range promises {
		verdict := "within"
		if p.value > p.most {
			verdict = "beyond"
			beyond++
		}
		fmt.Printf("%-36s %.3f, %s the limit of %v\n", p.what, p.value, verdict, p.most)
	}
	if fail && beyond > 0 {
		return fmt.Errorf("%d measurements are beyond their limits", beyond)
	}
	return nil
}

func run(dir, name string, runs int) ([]promise, error) {
	if runs < 1 {
		return nil, fmt.Errorf("-runs %d: want at least 1", runs)
	}
	ctx := context.Background()
	s, err := compile(ctx, filepath.Join(dir, name), name)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	str, err := srs.Development(prover.DomainLog(s.circuit.System))
	if err != nil {
		return nil, err
	}
	report("development SRS", time.Since(start))
	start = time.Now()
	if s.pk, s.vk, err = prover.Setup(s.circuit.System, s.circuit.Manifest, str); err != nil {
		return nil, err
	}
	report("set-up", time.Since(start))
	base, err := newChain(s.circuit.Domain(), str)
	if err != nil {
		return nil, err
	}
	var ours, theirs, witness, verify []time.Duration
	for range runs {
		runtime.GC()
		start := time.Now()
		a, err := s.circuit.Assign(s.inputs, fr.Element{})
		if err != nil {
			return nil, err
		}
		if _, err := s.circuit.System.Solve(a.Witness, append(s.circuit.SolverOptions(), standIn)...); err != nil {
			return nil, err
		}
		witness = append(witness, time.Since(start))

		runtime.GC()
		start = time.Now()
		if a, err = s.circuit.Assign(s.inputs, fr.Element{}); err != nil {
			return nil, err
		}
		proof, err := prover.Prove(ctx, s.circuit.System, s.pk, a.Witness, s.circuit.SolverOptions()...)
		if err != nil {
			return nil, err
		}
		ours = append(ours, time.Since(start))

		start = time.Now()
		if _, err := prover.Verify(s.vk, proof, prover.Expectation{AllowDevelopmentSRS: true}); err != nil {
			return nil, err
		}
		verify = append(verify, time.Since(start))

		runtime.GC()
		took, err := base.prove()
		if err != nil {
			return nil, err
		}
		theirs = append(theirs, took)
	}
	report("witness", median(witness))
	report("prove, witness included", median(ours))
	report("gnark, a chain of multiplications", median(theirs))
	report("verify", median(verify))
	return []promise{
		{"prove / gnark's chain", ratio(ours, theirs), 1.25},
		{"witness / prove", ratio(witness, ours), 0.15},
		{"verify, ms", 1000 * median(verify).Seconds(), 5},
		{"load, quantize and compile, s", s.compiled.Seconds(), 5},
		{"peak memory of all this, GB", peakMemory(), 1},
	}, nil
}

// compile takes a model from its file to a circuit and prints how long that takes.
func compile(ctx context.Context, dir, name string) (*subject, error) {
	first := time.Now()
	g, _, err := onnx.Load(filepath.Join(dir, "model.onnx"), onnx.Options{})
	if err != nil {
		return nil, err
	}
	samples, err := inputfile.ReadSamples(filepath.Join(dir, "samples.json"), inputfile.InputsOf(g))
	if err != nil {
		return nil, err
	}
	p, _, err := quantize.Quantize(context.Background(), g, quantize.Options{Samples: samples})
	if err != nil {
		return nil, err
	}
	report("load and quantize", time.Since(first))
	start := time.Now()
	c, err := circuit.Compile(ctx, p, circuit.Options{Model: name})
	if err != nil {
		return nil, err
	}
	report("compile to constraints", time.Since(start))
	compiled := time.Since(first)
	fmt.Printf("%-36s %d\n%-36s %d\n", "rows", c.Rows(), "domain", c.Domain())
	var reals [][]float64
	for _, in := range inputfile.InputsOf(g) {
		reals = append(reals, samples[0][in.Name].Data)
	}
	inputs, err := p.QuantizeInputs(reals, quantize.Refuse)
	return &subject{circuit: c, inputs: inputs, compiled: compiled}, err
}

func report(what string, d time.Duration) {
	fmt.Printf("%-36s %.1f ms\n", what, float64(d.Microseconds())/1000)
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

// ratio returns the median of the ratios of measurements taken side by side.
func ratio(a, b []time.Duration) float64 {
	r := make([]float64, len(a))
	for i := range a {
		r[i] = float64(a[i]) / float64(b[i])
	}
	slices.Sort(r)
	return r[len(r)/2]
}

// peakMemory returns the process's high-water mark of resident memory in gigabytes, or
// 0 where the system doesn't tell.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kilobytes float64
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kilobytes); err == nil {
			return kilobytes / 1e6 * 1.024
		}
	}
	return 0
}
