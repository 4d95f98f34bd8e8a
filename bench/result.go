package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zkml-go/zkml/prover/msm"
)

// resultVersion is the version of the JSON form of [result].
const resultVersion = 1

// result is all that a run measured.
type result struct {
	Version  int        `json:"version"`
	Time     time.Time  `json:"time"`
	Machine  machine    `json:"machine"`
	Runs     int        `json:"runs"` // pairs of proofs of each circuit, unless it says otherwise
	Circuits []*figures `json:"circuits"`
	// Unsupported are the models that have no circuit.
	Unsupported []unsupported `json:"unsupported,omitempty"`
	EZKL        *ezklRun      `json:"ezkl,omitempty"`
}

// machine is what the figures hold for.
type machine struct {
	CPU         string  `json:"cpu"`
	Cores       int     `json:"cores"`
	Memory      float64 `json:"memory"` // in gigabytes
	System      string  `json:"system"`
	Go          string  `json:"go"`
	Accelerated bool    `json:"accelerated"` // the vector instructions were used
	Load        float64 `json:"load"`        // of the minute before: 0 on an idle machine
}

// unsupported is a model that can't be compiled.
type unsupported struct {
	Name  string   `json:"name"`
	Nodes []string `json:"nodes"` // and why
}

// figures are what was measured of one circuit: times in seconds, medians of the runs.
type figures struct {
	Name        string `json:"name"`
	Runs        int    `json:"runs"` // pairs of proofs
	Rows        int    `json:"rows"`
	Domain      uint64 `json:"domain"`
	Commitments int    `json:"commitments"`
	PublicWords int    `json:"public_words"`
	Inferences  int    `json:"inferences,omitempty"` // that one proof is about, if it is a model's
	// Compile takes a model from its file to a circuit: load, calibrate, quantize, write.
	Compile float64 `json:"compile,omitempty"`
	String  float64 `json:"development_string,omitempty"` // to make the reference string
	SetUp   float64 `json:"set_up,omitempty"`             // with that string
	Prepare float64 `json:"prepare"`                      // once per circuit, by our prover
	Witness float64 `json:"witness"`                      // from inputs to all wires
	// A proof, the witness solved in it.
	Ours             float64 `json:"ours"`
	OursCPU          float64 `json:"ours_cpu"`
	Gnark            float64 `json:"gnark"`
	GnarkCPU         float64 `json:"gnark_cpu"`
	Ratio            float64 `json:"ratio"` // gnark's time over ours, median of the pairs
	RatioCPU         float64 `json:"ratio_cpu"`
	RowsPerCPUSecond float64 `json:"rows_per_cpu_second"`
	// Rounds are the times of our proof's rounds, RoundsCPU their CPU times by what is done.
	Rounds    map[string]float64            `json:"rounds"`
	RoundsCPU map[string]map[string]float64 `json:"rounds_cpu"`
	// Terms are those of our proof's multi-exponentiations, Transforms its number-theoretic
	// transforms of the domain's size.
	Terms      int     `json:"msm_terms"`
	Transforms float64 `json:"transforms"`
	Verify     float64 `json:"verify"`
	// ProofBytes is the proof's size in calldata.
	ProofBytes int `json:"proof_bytes"`
	// PeakMemory is by prover, in megabytes.
	PeakMemory map[string]float64 `json:"peak_memory,omitempty"`
	Gas        *gas               `json:"gas,omitempty"`
	Accuracy   *accuracy          `json:"accuracy,omitempty"`
	Batch      *batch             `json:"batch,omitempty"`
	EZKL       []*ezklFigures     `json:"ezkl,omitempty"`
}

// workCPU returns the CPU time of our proof by what is done, over all rounds.
func (f *figures) workCPU() map[string]float64 {
	sum := make(map[string]float64)
	for _, work := range f.RoundsCPU {
		for kind, seconds := range work {
			sum[kind] += seconds
		}
	}
	return sum
}

// find returns the figures of a circuit, or nil.
func (r *result) find(name string) *figures {
	i := slices.IndexFunc(r.Circuits, func(f *figures) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return r.Circuits[i]
}

// readResult reads a run's file.
func readResult(path string) (*result, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(result)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.Version != resultVersion {
		return nil, fmt.Errorf("%s: version %d: want %d", path, r.Version, resultVersion)
	}
	return r, nil
}

// write writes a run's file.
func (r *result) write(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// thisMachine describes where the program runs; what the system doesn't tell is left out.
func thisMachine() machine {
	m := machine{
		Cores: runtime.GOMAXPROCS(0), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		Accelerated: msm.Accelerated,
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kilobytes float64
		if _, err := fmt.Sscanf(string(text), "MemTotal: %f kB", &kilobytes); err == nil {
			m.Memory = float64(int(kilobytes*1024/1e8)) / 10
		}
	}
	m.Load = load()
	return m
}

// load returns the number of processes that ran or wanted to in the last minute.
func load() (l float64) {
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Sscanf(string(text), "%f", &l)
	}
	return l
}
