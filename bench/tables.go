package main

import (
	"fmt"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zkml-go/zkml/prover/plonk"
)

// results is the file of a report's figures, beside the charts and README.md.
const results = "results.json"

// texts are the files with parts that a run fills in.
func texts(r *result) map[string]map[string]string {
	return map[string]map[string]string{"README.md": sections(r), "../README.md": {"speed": r.summaryTable()}}
}

// writeReport writes a run's file, its charts and the tables of both README.md into a folder
// and the one that it is in.
func writeReport(run, folder string) error {
	r, err := readResult(run)
	if err != nil {
		return err
	}
	files := map[string]string{}
	for name, parts := range texts(r) {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if files[name], err = fill(string(text), parts); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, c := range charts(r) {
		files[name] = c.svg()
	}
	if err := r.write(filepath.Join(folder, results)); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fill replaces what lies between <!-- name --> and <!-- end --> for each section.
func fill(text string, sections map[string]string) (string, error) {
	for name, section := range sections {
		begin := "<!-- " + name + " -->\n"
		before, rest, ok := strings.Cut(text, begin)
		if !ok {
			return "", fmt.Errorf("no line %q", strings.TrimSpace(begin))
		}
		const end = "<!-- end -->"
		_, after, ok := strings.Cut(rest, end)
		if !ok {
			return "", fmt.Errorf("no line %q after %q", end, strings.TrimSpace(begin))
		}
		text = before + begin + section + end + after
	}
	return text, nil
}

// sections are the parts of the benchmark's README.md that a run fills in.
func sections(r *result) map[string]string {
	return map[string]string{
		"machine": r.machineText(), "ratios": r.ratioTable(), "figures": r.figureTable(), "memory": r.memoryTable(),
		"rounds": r.roundTables(), "limits": r.limitTable(), "batches": r.batchTable(), "ezkl": r.ezklTable(),
	}
}

// table is a table in Markdown: its first column holds names, the others figures.
type table struct {
	strings.Builder
}

func newTable(heads ...string) *table {
	t := new(table)
	t.row(heads...)
	t.row(append([]string{"---"}, slices.Repeat([]string{"---:"}, len(heads)-1)...)...)
	return t
}

func (t *table) row(cells ...string) { fmt.Fprintf(t, "| %s |\n", strings.Join(cells, " | ")) }

// significant writes a figure with so many digits that count, or a dash for none.
func significant(v float64, digits int) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	places := max(0, digits-1-int(math.Floor(math.Log10(math.Abs(v)))))
	s := fmt.Sprintf("%.*f", places, v)
	if whole, rest, ok := strings.Cut(s, "."); ok {
		return whole + "." + rest
	}
	return thousands(int64(math.Round(v)))
}

// unit writes a figure and its unit, or a dash.
func unit(v float64, u string) string {
	if v == 0 {
		return "–"
	}
	return significant(v, 3) + " " + u
}

// log2 returns the binary logarithm of a domain's size.
func log2(domain uint64) int { return bits.Len64(domain) - 1 }

func (r *result) machineText() string {
	m := r.Machine
	vector := "with"
	if !m.Accelerated {
		vector = "without"
	}
	pairs := fmt.Sprintf("medians of %d pairs of proofs", r.Runs)
	if r.Runs == 1 {
		pairs = "one pair of proofs of each circuit"
	}
	text := fmt.Sprintf("Measured on %s on %d cores of %s with %.1f GB (%s, %s), %s the vector instructions of [prover/msm](../prover/msm); %s. The load of the minute before was %.1f.\n",
		r.Time.Format("2 January 2006"), m.Cores, m.CPU, m.Memory, m.System, m.Go, vector, pairs, m.Load)
	if e := r.EZKL; e != nil {
		text += fmt.Sprintf("EZKL %s was measured on %s, on %d cores of %s; the load of the minute before was %.1f.\n",
			e.Version, e.Time.Format("2 January 2006"), e.Machine.Cores, e.Machine.CPU, e.Machine.Load)
	}
	if max(m.Load, r.ezklLoad()) > 1 {
		text += "\n**The machine wasn't idle: times and memory of other machines can't be compared with these, the ratios, whose parts were measured in turn, can.**\n"
	}
	return text
}

func (r *result) ezklLoad() float64 {
	if r.EZKL == nil {
		return 0
	}
	return r.EZKL.Machine.Load
}

// ratioTable has the ratios first.
func (r *result) ratioTable() string {
	t := newTable("circuit", "rows", "gnark/zkml: time", "CPU time", "memory", "EZKL/zkml: time", "CPU time", "as accurate", "memory", "error")
	for _, f := range r.Circuits {
		cells := []string{f.Name, thousands(int64(f.Rows)), significant(f.Ratio, 3), significant(f.RatioCPU, 3), significant(f.PeakMemory["gnark"]/f.PeakMemory["ours"], 3)}
		theirs := func(value func(*ezklFigures) float64) string {
			var all []string
			for _, e := range f.EZKL {
				if e.SameAs == "" {
					all = append(all, significant(value(e), 3))
				}
			}
			if all == nil {
				return ""
			}
			return strings.Join(all, ", ")
		}
		t.row(append(cells, theirs(func(e *ezklFigures) float64 { return e.Ratio }), theirs(func(e *ezklFigures) float64 { return e.RatioCPU }),
			theirs(func(e *ezklFigures) float64 {
				if e.AsAccurate == nil {
					return 0
				}
				return e.AsAccurate.RatioCPU
			}),
			theirs(func(e *ezklFigures) float64 { return e.PeakMemory / f.PeakMemory["ours"] }),
			theirs(func(e *ezklFigures) float64 {
				if e.Accuracy == nil {
					return 0
				}
				return e.Accuracy.MaxError / f.Accuracy.MaxError
			}))...)
	}
	for _, u := range r.Unsupported {
		fmt.Fprintf(t, "\n`%s` has no circuit: %s.\n", u.Name, strings.Join(u.Nodes, "; "))
	}
	return t.String()
}

func (r *result) figureTable() string {
	t := newTable("circuit", "rows", "domain", "compile", "set-up", "prepare", "witness", "prove", "gnark", "rows per CPU-second", "verify", "proof", "words", "gas: verifier", "transaction")
	for _, f := range r.Circuits {
		cells := []string{
			f.Name, thousands(int64(f.Rows)), fmt.Sprintf("2^%d", log2(f.Domain)),
			unit(f.Compile, "s"), unit(f.SetUp, "s"), unit(f.Prepare, "s"), unit(1000*f.Witness, "ms"),
			unit(f.Ours, "s"), unit(f.Gnark, "s"), thousands(int64(f.RowsPerCPUSecond)),
			unit(1000*f.Verify, "ms"), fmt.Sprintf("%d B", f.ProofBytes), fmt.Sprint(f.PublicWords), "–", "–",
		}
		if f.Gas != nil {
			cells = append(cells[:len(cells)-2], thousands(int64(f.Gas.Execution)), thousands(int64(f.Gas.Transaction)))
		}
		t.row(cells...)
	}
	return t.String()
}

func (r *result) memoryTable() string {
	t := newTable("circuit", "zkml", "zkml, `--low-memory`", "gnark", "zkml/gnark")
	for _, f := range r.Circuits {
		m := f.PeakMemory
		t.row(f.Name, unit(m["ours"], "MB"), unit(m["frugal"], "MB"), unit(m["gnark"], "MB"), significant(m["ours"]/m["gnark"], 3))
	}
	return t.String()
}

// roundTables has the profile of each circuit for which a speed is promised.
func (r *result) roundTables() string {
	var b strings.Builder
	for _, f := range r.Circuits {
		if _, promised := speed[f.Name]; !promised {
			continue
		}
		fmt.Fprintf(&b, "**%s**: %s, %s of CPU time\n\n", f.Name, unit(f.Ours, "s"), unit(f.OursCPU, "s"))
		t := newTable("round", "time", "of CPU time", "multi-exponentiations", "transforms", "vectors", "other")
		percent := func(seconds float64) string { return fmt.Sprintf("%.1f %%", 100*seconds/f.OursCPU) }
		line := func(name, time string, work map[string]float64) {
			sum, cells := 0.0, []string(nil)
			for _, kind := range kinds {
				sum += work[kind]
				cells = append(cells, percent(work[kind]))
			}
			t.row(append([]string{name, time, percent(sum)}, cells...)...)
		}
		for i := range plonk.Round(plonk.NbRounds) {
			line(i.String(), unit(1000*f.Rounds[i.String()], "ms"), f.RoundsCPU[i.String()])
		}
		line("all", "", f.workCPU())
		b.WriteString(t.String() + "\n")
	}
	return b.String()
}

// limitTable sets what the profile gives for the two costly kinds of work beside what
// gnark-crypto's own code takes for them.
func (r *result) limitTable() string {
	t := newTable("circuit", "terms of multi-exponentiations", "for each of the domain", "terms per CPU-second", "transforms of the domain", "CPU time of each", "rows per CPU-second", "were all but multi-exponentiations free")
	for _, f := range r.Circuits {
		if _, promised := speed[f.Name]; !promised {
			continue
		}
		work := f.workCPU()
		t.row(f.Name, thousands(int64(f.Terms)), significant(float64(f.Terms)/float64(f.Domain), 3), thousands(int64(float64(f.Terms)/work[multiExp])),
			significant(f.Transforms, 3), unit(1000*work[ntt]/f.Transforms, "ms"), thousands(int64(f.RowsPerCPUSecond)), thousands(int64(float64(f.Rows)/work[multiExp])))
	}
	return t.String()
}

func (r *result) batchTable() string {
	t := newTable("circuit", "rows", "domain", "rows per added inference", "budget", "prove", "for each inference", "single proof / that", "of CPU time", "gas for each inference")
	for _, f := range r.Circuits {
		b := f.Batch
		if b == nil {
			continue
		}
		t.row(f.Name, thousands(int64(f.Rows)), thousands(int64(f.Domain)), significant(b.RowsPerAdded, 3), significant(b.Budget, 3), unit(f.Ours, "s"),
			unit(1000*b.PerInference, "ms"), significant(b.Gain, 3), significant(b.GainCPU, 3), thousands(int64(f.Gas.Transaction)/int64(f.Inferences)))
	}
	return t.String()
}

func (r *result) ezklTable() string {
	t := newTable("model", "prover", "rows", "domain", "calibrate or compile", "set-up", "witness", "prove", "CPU time", "peak memory", "proof", "verify", "largest error")
	for _, f := range r.Circuits {
		if f.EZKL == nil {
			continue
		}
		for _, e := range f.EZKL {
			name := "EZKL, " + e.Target
			switch {
			case e.Error != "":
				t.row(f.Name, name, e.Error, "", "", "", "", "", "", "", "", "", "")
			case e.SameAs != "":
				t.row(f.Name, name, "as for "+e.SameAs, "", "", "", "", "", "", "", "", "", "")
			default:
				t.row(f.Name, name, thousands(int64(e.Rows)), fmt.Sprintf("2^%d", e.Log), unit(e.Calibrate+e.Compile, "s"), unit(e.SetUp, "s"),
					unit(1000*e.Witness, "ms"), unit(e.Prove, "s"), unit(e.ProveCPU, "s"), unit(e.PeakMemory, "MB"), fmt.Sprintf("%d B", e.ProofBytes),
					unit(1000*e.Verify, "ms"), significant(e.Accuracy.MaxError, 2))
			}
		}
		ours, oursCPU := f.Ours, f.OursCPU
		for _, e := range f.EZKL {
			if e.Ours > 0 { // beside EZKL's
				ours, oursCPU = e.Ours, e.OursCPU
				break
			}
		}
		t.row(f.Name, "zkml", thousands(int64(f.Rows)), fmt.Sprintf("2^%d", log2(f.Domain)), unit(f.Compile, "s"), unit(f.SetUp, "s"),
			unit(1000*f.Witness, "ms"), unit(ours, "s"), unit(oursCPU, "s"), unit(f.PeakMemory["ours"], "MB"), fmt.Sprintf("%d B", f.ProofBytes),
			unit(1000*f.Verify, "ms"), significant(f.Accuracy.MaxError, 2)+" of "+significant(f.Accuracy.Range, 3))
		for _, e := range f.EZKL {
			if a := e.AsAccurate; a != nil && e.SameAs == "" {
				t.row(f.Name, "zkml, as accurate as EZKL, "+e.Target, thousands(int64(a.Rows)), fmt.Sprintf("2^%d", log2(a.Domain)), "", "", "",
					unit(a.Prove, "s"), unit(a.ProveCPU, "s"), "", "", "", significant(a.Accuracy.MaxError, 2))
			}
		}
	}
	if r.EZKL == nil {
		return "The last run had no EZKL beside it.\n"
	}
	return t.String()
}

// summaryTable has the provers side by side on the models that EZKL was measured on too.
func (r *result) summaryTable() string {
	t := newTable("model", "prover", "rows", "prove", "CPU time", "peak memory", "proof", "verify")
	for _, name := range []string{mainModel, "mlp", "breast_cancer"} {
		f := r.find(name)
		if f == nil {
			continue
		}
		verify := unit(1000*f.Verify, "ms")
		proof := fmt.Sprintf("%d B", f.ProofBytes)
		t.row(name, "zkml", thousands(int64(f.Rows)), unit(f.Ours, "s"), unit(f.OursCPU, "s"), unit(f.PeakMemory["ours"], "MB"), proof, verify)
		t.row("", "gnark, the same circuit", thousands(int64(f.Rows)), unit(f.Gnark, "s"), unit(f.GnarkCPU, "s"), unit(f.PeakMemory["gnark"], "MB"), proof, verify)
		for _, e := range f.EZKL {
			if e.Error == "" && e.SameAs == "" && e.Target == "resources" {
				t.row("", "EZKL "+r.EZKL.Version, thousands(int64(e.Rows)), unit(e.Prove, "s"), unit(e.ProveCPU, "s"), unit(e.PeakMemory, "MB"),
					fmt.Sprintf("%d B", e.ProofBytes), unit(1000*e.Verify, "ms"))
			}
			if a := e.AsAccurate; a != nil && e.Target == "resources" {
				t.row("", "zkml, as accurate as that", thousands(int64(a.Rows)), unit(a.Prove, "s"), unit(a.ProveCPU, "s"), "–", "–", "–")
			}
		}
	}
	return t.String()
}
