package load

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover/srs"
)

// LibraryReport is how long the library takes for a mix.
type LibraryReport struct {
	Proofs     int     `json:"proofs"`
	Seconds    float64 `json:"seconds"`
	Throughput float64 `json:"proofs_per_second"`
	// Each are the seconds of one proof of each model, by folder.
	Each map[string]float64 `json:"each"`
}

// Library proves a mix with the library in a loop, one proof after another. Compiling, keys
// and the first proof of each model are not counted. Where the machine has other work too, the
// program has to be as nice as the worker of zkml serve for a fair comparison: nice -n 10.
func Library(ctx context.Context, mixes []Mix, cache *srs.Cache) (*LibraryReport, error) {
	report := &LibraryReport{Each: map[string]float64{}}
	var all time.Duration
	for _, mix := range mixes {
		p, inputs, err := local(ctx, mix, cache)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", mix.Folder, err)
		}
		begin := time.Now()
		for i := range mix.Jobs + 1 {
			if i == 1 {
				begin = time.Now()
			}
			word, err := zkml.ParseContext(fmt.Sprint(i))
			if err != nil {
				return nil, err
			}
			proof, err := p.Prove(ctx, inputs, zkml.ProveOptions{Context: word})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", mix.Folder, err)
			}
			if _, err := proof.WriteTo(io.Discard); err != nil {
				return nil, err
			}
		}
		took := time.Since(begin)
		p.Close()
		all += took
		report.Proofs += mix.Jobs
		report.Each[mix.Folder] = took.Seconds() / float64(mix.Jobs)
	}
	report.Seconds = all.Seconds()
	report.Throughput = float64(report.Proofs) / report.Seconds
	return report, nil
}

// local compiles a model as the service does.
func local(ctx context.Context, mix Mix, cache *srs.Cache) (*zkml.Prover, zkml.Inputs, error) {
	n, err := zkml.Load(filepath.Join(mix.Folder, "model.onnx"), zkml.LoadOptions{})
	if err != nil {
		return nil, nil, err
	}
	samples, err := n.ReadSamples(filepath.Join(mix.Folder, "samples.json"))
	if err != nil {
		return nil, nil, err
	}
	m, err := zkml.Compile(ctx, n, zkml.Options{Samples: samples})
	if err != nil {
		return nil, nil, err
	}
	s, err := cache.Select(m.DomainLog(), srs.Selection{AllowDevelopment: true})
	if err != nil {
		return nil, nil, err
	}
	pk, _, err := zkml.Setup(m, s)
	if err != nil {
		return nil, nil, err
	}
	p, err := zkml.NewProver(m, pk, zkml.ProverOptions{})
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(filepath.Join(mix.Folder, "input.json"))
	if err != nil {
		return nil, nil, err
	}
	inputs, err := m.ParseInputs("inputs", text)
	return p, inputs, err
}
