package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// TestFill wants both markers of each section.
func TestFill(t *testing.T) {
	sections := map[string]string{"a": "new\n"}
	got, err := fill("x\n<!-- a -->\nold\n<!-- end -->\ny\n", sections)
	if want := "x\n<!-- a -->\nnew\n<!-- end -->\ny\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"x\n<!-- end -->\n", "<!-- a -->\nold\n"} {
		if _, err := fill(text, sections); err == nil {
			t.Errorf("%q is filled", text)
		}
	}
}

// TestChart parses drawings as XML, and finds each point in its place.
func TestChart(t *testing.T) {
	c := &chart{title: "a < b & c", x: "rows", y: "seconds", series: []series{
		{name: "<one>", colour: blue, points: []point{{"p & q", 1000, 0.1}, {"r", 100_000, 10}}},
	}}
	for name, text := range map[string]string{"points": c.svg(), "none": (&chart{}).svg()} {
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, text)
			}
		}
	}
	// The axes reach from 10^3 to 10^5 and from 10^-1 to 10^1: the points are in corners.
	for _, corner := range []string{`cx="84.0" cy="336.0"`, `cx="676.0" cy="44.0"`} {
		if !strings.Contains(c.svg(), corner) {
			t.Errorf("no point at %s in\n%s", corner, c.svg())
		}
	}
	for v, want := range map[float64]string{0.01: "0.01", 2.5: "2.5", 10: "10", 10_000: "10,000", 1_234_567: "1,234,567"} {
		if got := quantity(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

// TestPromises finds measurements that are beyond their limits.
func TestPromises(t *testing.T) {
	good := func() *result {
		return &result{Machine: machine{Accelerated: true}, Circuits: []*figures{
			{Name: mainModel, Rows: 100_000, Ratio: 2, RowsPerCPUSecond: 34000, Ours: 3, Witness: 0.1, Verify: 0.002, Compile: 4,
				PeakMemory: map[string]float64{"ours": 1, "gnark": 2}},
			{Name: "breast_cancer ×16", Batch: &batch{RowsPerAdded: 700, Budget: 897}},
			{Name: "mlp", Ratio: 0.5},
		}}
	}
	for name, test := range map[string]struct {
		change func(r *result)
		fails  bool
	}{
		"all within":           {func(*result) {}, false},
		"slow":                 {func(r *result) { r.Circuits[0].Ratio = 1.7 }, true},
		"slow, but plain":      {func(r *result) { r.Circuits[0].Ratio = 1.7; r.Machine.Accelerated = false }, false},
		"rows per CPU-second":  {func(r *result) { r.Circuits[0].RowsPerCPUSecond = 32000 }, true},
		"memory above gnark's": {func(r *result) { r.Circuits[0].PeakMemory["ours"] = 3 }, true},
		"batch above budget":   {func(r *result) { r.Circuits[1].Batch.RowsPerAdded = 898 }, true},
		"compile":              {func(r *result) { r.Circuits[0].Compile = 6 }, true},
	} {
		r := good()
		test.change(r)
		var out strings.Builder
		if err := compare(&out, r, &options{limits: true}); (err != nil) != test.fails {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
		if !strings.HasSuffix(out.String(), " on lenet5, "+map[bool]string{true: "32000", false: "34000"}[name == "rows per CPU-second"]+" rows per CPU-second\n") {
			t.Errorf("%s: the last line isn't the summary:\n%s", name, out.String())
		}
	}
}
