package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/zkml-go/zkml/prover/plonk"
	"github.com/zkml-go/zkml/quantize"
)

// ezklRun says what EZKL was and where its figures hold.
type ezklRun struct {
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	Machine machine   `json:"machine"`
}

// ezklFigures are what EZKL takes for a model, after its own calibration, beside what
// we take in the same run. Times are in seconds.
type ezklFigures struct {
	Target string `json:"target"` // of its calibration: resources or accuracy
	// SameAs is the target whose calibration gave the same settings; the figures are
	// then those.
	SameAs string `json:"same_as,omitempty"`
	// Error says why there are no further figures.
	Error string `json:"error,omitempty"`

	CalibrationInputs int     `json:"calibration_inputs,omitempty"`
	Rows              int     `json:"rows,omitempty"`
	Log               int     `json:"log_domain,omitempty"`
	InputScale        int     `json:"input_scale,omitempty"`
	ParamScale        int     `json:"param_scale,omitempty"`
	Calibrate         float64 `json:"calibrate,omitempty"`
	Compile           float64 `json:"compile,omitempty"`
	SetUp             float64 `json:"set_up,omitempty"`
	KeyBytes          int64   `json:"proving_key_bytes,omitempty"`
	Witness           float64 `json:"witness,omitempty"`
	Verify            float64 `json:"verify,omitempty"`
	Runs              int     `json:"runs,omitempty"`
	// Prove is the time from "proof started" to "proof took" in EZKL's log, Call that of
	// the whole call, which reads the proving key from its file first.
	Prove      float64   `json:"prove,omitempty"`
	ProveCPU   float64   `json:"prove_cpu,omitempty"`
	Call       float64   `json:"prove_call,omitempty"`
	PeakMemory float64   `json:"peak_memory,omitempty"` // of the proving process, in megabytes
	ProofBytes int       `json:"proof_bytes,omitempty"`
	Accuracy   *accuracy `json:"accuracy,omitempty"`
	// Ours and OursCPU are the times of our proofs of the same input, one after each of
	// EZKL's, Ratio and RatioCPU EZKL's over ours, medians of the pairs.
	Ours     float64 `json:"ours,omitempty"`
	OursCPU  float64 `json:"ours_cpu,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"`
	RatioCPU float64 `json:"ratio_cpu,omitempty"`
	// AsAccurate is our circuit that is calibrated to EZKL's error instead of the default.
	AsAccurate *asAccurate `json:"ours_as_accurate,omitempty"`
}

// asAccurate is our circuit for a model with the error, relative to the answers' range,
// that EZKL's answers have. There is one proof of it, after one that isn't counted.
type asAccurate struct {
	Target   string    `json:"target"`
	Met      bool      `json:"met"` // on the calibration samples
	Rows     int       `json:"rows"`
	Domain   uint64    `json:"domain"`
	Accuracy *accuracy `json:"accuracy"`
	Prove    float64   `json:"prove"`
	ProveCPU float64   `json:"prove_cpu"`
	// EZKL's CPU time over ours: the proofs weren't made in turn.
	RatioCPU float64 `json:"ratio_cpu"`
}

// ezklTargets are what EZKL can be calibrated for.
var ezklTargets = []string{"resources", "accuracy"}

const (
	// ezklCalibrationInputs is the number of calibration samples that EZKL is given: its
	// calibration takes seconds for each.
	ezklCalibrationInputs = 4
	// ezklQuick is the time of a proof below which EZKL makes as many as asked for.
	ezklQuick = 20 * time.Second
)

// measureEZKL has EZKL prove all models that we prove, one inference at a time.
func (r *result) measureEZKL(ctx context.Context, all []maker, o *options) error {
	version, err := exec.CommandContext(ctx, o.ezkl, "-c", "import ezkl; print(ezkl.__version__)").Output()
	if err != nil {
		return fmt.Errorf("%s has no ezkl: %w", o.ezkl, err)
	}
	r.EZKL = &ezklRun{Version: strings.TrimSpace(string(version)), Time: time.Now().UTC().Truncate(time.Second), Machine: thisMachine()}
	for _, m := range all {
		f := r.find(m.name)
		if f == nil || m.network == nil || m.batch > 0 || !o.wants(m.name) {
			continue
		}
		if f.EZKL, err = measureEZKLModel(ctx, &m, o); err != nil {
			return fmt.Errorf("EZKL, %s: %w", m.name, err)
		}
		for _, e := range f.EZKL {
			e.print(os.Stdout, f)
		}
		if err := r.save(o); err != nil { // each takes minutes
			return err
		}
	}
	return nil
}

// measureEZKLModel has EZKL prove one model, calibrated for each target.
func measureEZKLModel(ctx context.Context, m *maker, o *options) ([]*ezklFigures, error) {
	s, err := m.make(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.assign()
	if err != nil {
		return nil, err
	}
	ours, err := plonk.New(ctx, s.system, s.key, plonk.Options{})
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	var all []*ezklFigures
	var settings []string
	for _, target := range ezklTargets {
		e, made, err := func() (*ezklFigures, string, error) {
			x, err := newEZKL(ctx, m, s, o)
			if err != nil {
				return nil, "", err
			}
			defer x.close()
			f := &ezklFigures{Target: target}
			made, err := x.calibrate(f)
			if i := slices.Index(settings, made); err == nil && i >= 0 {
				same := *all[i]
				same.Target, same.SameAs, same.Calibrate = target, all[i].Target, f.Calibrate
				return &same, made, nil
			}
			if err == nil {
				err = x.prove(f, ours, w)
			}
			if err == nil {
				f.AsAccurate, err = matchAccuracy(ctx, *m, f)
			}
			var failed *stepError
			if errors.As(err, &failed) && ctx.Err() == nil {
				f.Error, err = failed.Error(), nil
			}
			return f, made, err
		}()
		if err != nil {
			return nil, err
		}
		all, settings = append(all, e), append(settings, made)
	}
	return all, nil
}

// matchAccuracy proves a model as accurately as EZKL did.
func matchAccuracy(ctx context.Context, m maker, f *ezklFigures) (*asAccurate, error) {
	m.target = quantize.Target{Kind: quantize.ErrorTarget, Value: f.Accuracy.MaxError / f.Accuracy.Range}
	s, err := m.make(ctx)
	if err != nil {
		return nil, err
	}
	a := &asAccurate{Target: m.target.String(), Met: s.model.Report.Met, Rows: s.rows(), Domain: s.key.Vk.Size}
	if a.Accuracy, err = s.accuracy(); err != nil {
		return nil, err
	}
	w, err := s.assign()
	if err != nil {
		return nil, err
	}
	ours, err := plonk.New(ctx, s.system, s.key, plonk.Options{})
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	for range 2 {
		made, err := timed(func() error {
			_, err := ours.Prove(ctx, w, plonk.ProofOptions{Solver: s.solver})
			return err
		})
		if err != nil {
			return nil, err
		}
		a.Prove, a.ProveCPU = wall(made), cpu(made)
	}
	a.RatioCPU = f.ProveCPU / a.ProveCPU
	return a, nil
}

// print writes the figures beside ours.
func (e *ezklFigures) print(w io.Writer, f *figures) {
	row := rower(w, f.Name)
	what := func(s string) string { return "ezkl, " + e.Target + ": " + s }
	if e.Error != "" {
		row(what("failed"), "%s", e.Error)
		return
	}
	if e.SameAs != "" {
		row(what("same settings as for "+e.SameAs), "")
		return
	}
	row(what("rows, domain"), "%d, 2^%d", e.Rows, e.Log)
	row(what("calibrate, set-up"), "%.1f s, %.1f s", e.Calibrate, e.SetUp)
	row(what("witness"), "%.1f ms", 1000*e.Witness)
	row(what("prove"), "%.2f s, %.2f CPU-s, %d times", e.Prove, e.ProveCPU, e.Runs)
	row(what("ezkl/ours"), "%.1f, of CPU time %.1f", e.Ratio, e.RatioCPU)
	row(what("peak memory, key"), "%.0f MB, %.0f MB", e.PeakMemory, float64(e.KeyBytes)/1e6)
	row(what("proof"), "%d bytes", e.ProofBytes)
	row(what("verify"), "%.1f ms", 1000*e.Verify)
	row(what("largest error"), "%.3g in %d answers, ours %.3g", e.Accuracy.MaxError, e.Accuracy.Inputs, f.Accuracy.MaxError)
	if a := e.AsAccurate; a != nil {
		row(what("ours as accurate"), "%d rows, 2^%.0f, error %.3g, %.2f s, %.2f CPU-s, ezkl/ours %.1f of CPU time",
			a.Rows, math.Log2(float64(a.Domain)), a.Accuracy.MaxError, a.Prove, a.ProveCPU, a.RatioCPU)
	}
}
