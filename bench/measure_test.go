package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/logger"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/plonktest"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/prover/srs"
)

func TestMain(m *testing.M) {
	logger.Disable()
	os.Exit(m.Run())
}

// TestBudget counts breast_cancer's 30-16-8-1 network by hand.
func TestBudget(t *testing.T) {
	net, err := zkml.Load("../testdata/breast_cancer/model.onnx", zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := count(net.Graph)
	if want := (counts{activations: 16 + 8 + 1, products: 30*16 + 16*8 + 8, elements: 30 + 2}); c != want {
		t.Errorf("counted %+v, want %+v", c, want)
	}
	if got, want := c.budget(), 20*25+616/8.0+10*32; got != want {
		t.Errorf("budget %v, want %v", got, want)
	}
}

// TestCompareBatches compares batches with the next smaller one and with one inference,
// of the same model.
func TestCompareBatches(t *testing.T) {
	m, x := &network{onnx: "../testdata/breast_cancer/model.onnx"}, &network{}
	makers := []maker{{name: "m", network: m}, {name: "x", network: x}, {name: "chain"}, {name: "m ×4", network: m}, {name: "m ×10", network: m}}
	one := &figures{Name: "m", Inferences: 1, Rows: 1000, Ours: 2, OursCPU: 3}
	other := &figures{Name: "x", Inferences: 1, Rows: 7}
	shape := &figures{Name: "chain"}
	four := &figures{Name: "m ×4", Inferences: 4, Rows: 1600, Ours: 4, OursCPU: 4}
	ten := &figures{Name: "m ×10", Inferences: 10, Rows: 2200, Ours: 5, OursCPU: 5}
	if err := compareBatches([]*figures{one, other, shape, four, ten}, makers); err != nil {
		t.Fatal(err)
	}
	if one.Batch != nil || other.Batch != nil || shape.Batch != nil {
		t.Error("one inference is a batch")
	}
	if b := four.Batch; b == nil || b.RowsPerAdded != 200 || b.From != 1 || b.PerInference != 1 || b.Gain != 2 || b.GainCPU != 3 || b.Budget != 897 {
		t.Errorf("four: %+v", b)
	}
	if b := ten.Batch; b == nil || b.RowsPerAdded != 100 || b.From != 4 || b.Of != "m" || b.Gain != 4 {
		t.Errorf("ten: %+v", b)
	}
}

// TestPut keeps the circuits in their order, and the last figures of each.
func TestPut(t *testing.T) {
	all := []maker{{name: "a"}, {name: "b"}, {name: "c"}}
	r := new(result)
	for i, name := range []string{"c", "a", "b", "a"} {
		r.put(&figures{Name: name, Rows: i}, all)
	}
	var got []string
	for _, f := range r.Circuits {
		got = append(got, fmt.Sprint(f.Name, f.Rows))
	}
	if want := []string{"a3", "b2", "c0"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestMedian(t *testing.T) {
	identity := func(v float64) float64 { return v }
	for _, test := range []struct {
		values []float64
		want   float64
	}{{[]float64{5}, 5}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 9, 2}, 3}} {
		if got := median(test.values, identity); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.values, got, test.want)
		}
	}
	second := func(n int) sample { return sample{wall: time.Duration(n) * time.Second} }
	if got := ratio([]sample{second(2), second(9), second(30)}, []sample{second(1), second(3), second(3)}, wall); got != 3 {
		t.Errorf("median of the ratios 2, 3, 10 is %v", got)
	}
}

// TestMeasure measures a small circuit and a model, and wants every round's work to add
// up to the proof's.
func TestMeasure(t *testing.T) {
	o := &options{runs: 1, testdata: "../testdata"}
	all, err := subjects(o)
	if err != nil {
		t.Fatal(err)
	}
	if all[0].name != mainModel {
		t.Errorf("the first circuit is %s", all[0].name)
	}
	for _, m := range all {
		switch m.name {
		case "chain":
			m.fixed = func() (*plonktest.Subject, error) { return plonktest.Chain(10) }
		case "diabetes":
		default:
			continue
		}
		s, err := m.make(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		f, err := measureTimes(t.Context(), s, m)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, seconds := range f.workCPU() {
			sum += seconds
		}
		if sum > 1.05*f.OursCPU || sum < 0.5*f.OursCPU {
			t.Errorf("%s: rounds take %v CPU-s, the proof %v", m.name, sum, f.OursCPU)
		}
		if f.workCPU()[multiExp] <= 0 || f.RoundsCPU["quotient"][ntt] <= 0 {
			t.Errorf("%s: no work in %v", m.name, f.RoundsCPU)
		}
		if m.network == nil {
			if f.Gas != nil || f.Inferences != 0 {
				t.Errorf("%s is a model", m.name)
			}
			continue
		}
		if f.Gas.Transaction <= f.Gas.Execution || f.Gas.Fork != "osaka" {
			t.Errorf("%s: gas %+v", m.name, f.Gas)
		}
		if a := f.Accuracy; a.Inputs != accuracyInputs || a.MaxError <= 0 || a.MaxError > 0.05*a.Range {
			t.Errorf("%s: accuracy %+v", m.name, a)
		}
	}
}

// TestHalo2 reads a string in halo2's format: its Lagrange points, weighted by halo2's
// powers of ω, give [τ]₁, and [τ]₂ fits it.
func TestHalo2(t *testing.T) {
	const log, n = 6, 64 // the smallest at which the orders differ
	path := filepath.Join(t.TempDir(), "srs")
	if err := writeHalo2(path, log); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := 4 + 2*n*64 + 2*128; len(b) != want {
		t.Fatalf("%d bytes, want %d", len(b), want)
	}
	r := bytes.NewReader(b)
	read := func(c *fp.Element) { binary.Read(r, binary.LittleEndian, c[:]) }
	var k uint32
	binary.Read(r, binary.LittleEndian, &k)
	if k != log {
		t.Errorf("a domain of 2^%d", k)
	}
	points := make([]bn254.G1Affine, 2*n)
	for i := range points {
		read(&points[i].X)
		read(&points[i].Y)
	}
	var twos [2]bn254.G2Affine
	for i := range twos {
		for _, c := range []*fp.Element{&twos[i].X.A0, &twos[i].X.A1, &twos[i].Y.A0, &twos[i].Y.A1} {
			read(c)
		}
	}
	var omega fr.Element
	if _, err := omega.SetString(halo2Root); err != nil {
		t.Fatal(err)
	}
	for range 28 - log {
		omega.Square(&omega)
	}
	weights := make([]fr.Element, n)
	weights[0].SetOne()
	for i := range n - 1 {
		weights[i+1].Mul(&weights[i], &omega)
	}
	var tau bn254.G1Affine
	if _, err := tau.MultiExp(points[n:], weights, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	if !tau.Equal(&points[1]) {
		t.Error("the Lagrange points aren't in halo2's order")
	}
	if s, err := srs.Development(log); err != nil || !points[1].Equal(&s.Powers[1]) || !twos[1].Equal(&s.TauG2) {
		t.Errorf("not the development string: %v", err)
	}
	_, _, g1, g2 := bn254.Generators()
	if !points[0].Equal(&g1) || !twos[0].Equal(&g2) {
		t.Error("other generators")
	}
}

// TestNotSupported lists the nodes of a model that can't be compiled.
func TestNotSupported(t *testing.T) {
	if u := notSupported("m", errors.New("no file")); u != nil {
		t.Errorf("any error is %+v", u)
	}
	err := fmt.Errorf("loading: %w", &onnx.UnsupportedError{Nodes: []onnx.UnsupportedNode{{Name: "n", OpType: "NonZero", Reason: "why"}}})
	if u := notSupported("m", err); u == nil || u.Name != "m" || !slices.Equal(u.Nodes, []string{`NonZero "n": why`}) {
		t.Errorf("%+v", u)
	}
}

// TestSignificant writes figures as tables show them.
func TestSignificant(t *testing.T) {
	for v, want := range map[float64]string{0: "–", math.NaN(): "–", 0.00123456: "0.00123", 1.5: "1.50", 38097.7: "38,098", 250: "250", 99.96: "100.0"} {
		if got := significant(v, 3); got != want && !(math.IsNaN(v) && got == "–") {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	if got := newTable("a", "b").String(); !strings.HasPrefix(got, "| a | b |\n| --- | ---: |\n") {
		t.Errorf("a table begins with %q", got)
	}
}
