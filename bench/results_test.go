package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/prover/plonk"
)

// recorded reads the committed run, and fails on members that this program doesn't write.
func recorded(t *testing.T) *result {
	t.Helper()
	b, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	r := new(result)
	if err := d.Decode(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRecorded holds the committed run to what a run has: every figure of every circuit.
func TestRecorded(t *testing.T) {
	r := recorded(t)
	if r.Version != resultVersion || r.Runs < 1 || r.Time.IsZero() || r.Machine.Cores < 1 {
		t.Errorf("version %d, %d runs at %v on %+v", r.Version, r.Runs, r.Time, r.Machine)
	}
	// The others lie beside the repository, if at all.
	for _, name := range []string{"lenet5", "mlp", "breast_cancer", "diabetes", "tictactoe", "range checks", "chain", "breast_cancer ×16", "breast_cancer ×64"} {
		if r.find(name) == nil {
			t.Errorf("no %s", name)
		}
	}
	for _, f := range r.Circuits {
		name := f.Name
		figures := map[string]float64{
			"runs": float64(f.Runs), "rows": float64(f.Rows), "domain": float64(f.Domain), "words": float64(f.PublicWords),
			"prepare": f.Prepare, "witness": f.Witness, "ours": f.Ours, "ours_cpu": f.OursCPU, "gnark": f.Gnark, "gnark_cpu": f.GnarkCPU,
			"ratio": f.Ratio, "ratio_cpu": f.RatioCPU, "rows per CPU-second": f.RowsPerCPUSecond, "verify": f.Verify, "proof": float64(f.ProofBytes),
			"terms": float64(f.Terms), "transforms": f.Transforms,
		}
		for _, prover := range provers {
			figures["memory of "+prover] = f.PeakMemory[prover]
		}
		if f.Inferences > 0 {
			figures["compile"], figures["set_up"] = f.Compile, f.SetUp
			if f.Gas == nil || f.Accuracy == nil {
				t.Errorf("%s: no gas or no accuracy", name)
				continue
			}
			figures["gas"], figures["transaction"], figures["inputs"] = float64(f.Gas.Execution), float64(f.Gas.Transaction), float64(f.Accuracy.Inputs)
		}
		for what, v := range figures {
			if v <= 0 {
				t.Errorf("%s: %s is %v", name, what, v)
			}
		}
		if strings.Contains(name, "×") && f.Batch == nil {
			t.Errorf("%s: no comparison with one inference", name)
		}
		if f.Rows > int(f.Domain) || 2*f.Rows <= int(f.Domain) {
			t.Errorf("%s: %d rows in a domain of %d", name, f.Rows, f.Domain)
		}
		for _, e := range f.EZKL {
			switch {
			case e.Error != "" || e.SameAs != "":
			case r.EZKL == nil:
				t.Errorf("%s: EZKL has figures and no version", name)
			case e.Prove <= 0 || e.ProveCPU <= 0 || e.Witness <= 0 || e.PeakMemory <= 0 || e.ProofBytes <= 0 || e.Ratio <= 0 || e.Accuracy == nil || e.AsAccurate == nil:
				t.Errorf("%s: EZKL, %s: figures are missing in %+v", name, e.Target, e)
			}
		}
		sum := 0.0
		for i := range plonk.Round(plonk.NbRounds) {
			if len(f.RoundsCPU[i.String()]) != len(kinds) || f.Rounds[i.String()] <= 0 {
				t.Errorf("%s: round %s has %v in %v s", name, i, f.RoundsCPU[i.String()], f.Rounds[i.String()])
			}
			sum += f.Rounds[i.String()]
		}
		if sum < 0.6*f.Ours || sum > 1.5*f.Ours {
			t.Errorf("%s: rounds take %v s, a proof %v s", name, sum, f.Ours)
		}
	}
}

// TestReadme holds both README.md and the charts to the committed run.
func TestReadme(t *testing.T) {
	r := recorded(t)
	for name, parts := range texts(r) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := fill(string(text), parts)
		if err != nil {
			t.Fatal(err)
		}
		if want != string(text) {
			t.Errorf("%s isn't what %s gives: make bench-report", name, results)
		}
	}
	for name, c := range charts(r) {
		drawn, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.svg() != string(drawn) {
			t.Errorf("%s isn't what %s gives: make bench-report", name, results)
		}
	}
}
