package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/consensys/gnark/backend/witness"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/prover/plonk"
)

// ezkl is EZKL at work on one model in a folder of its own.
type ezkl struct {
	ctx     context.Context
	o       *options
	subject *subject
	runs    int
	script  string
	folder  string
	inputs  []zkml.Inputs // on which answers are compared
}

// newEZKL makes the folder: the model, the inputs, and as many calibration samples.
func newEZKL(ctx context.Context, m *maker, s *subject, o *options) (*ezkl, error) {
	x := &ezkl{ctx: ctx, o: o, subject: s, runs: m.most}
	var err error
	if x.script, err = filepath.Abs(filepath.Join("bench", "ezkl_step.py")); err != nil {
		return nil, err
	}
	if x.folder, err = os.MkdirTemp("", "zkml-bench-ezkl"); err != nil {
		return nil, err
	}
	model, err := os.ReadFile(m.network.onnx)
	if err == nil {
		err = os.WriteFile(filepath.Join(x.folder, "model.onnx"), model, 0o644)
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(x.folder, "inputs"), 0o755)
	}
	x.inputs = s.heldOut[:min(accuracyInputs, len(s.heldOut))]
	for i, in := range x.inputs {
		if err == nil {
			err = x.writeInputs(fmt.Sprintf("inputs/%d.json", i), []zkml.Inputs{in})
		}
	}
	if err == nil {
		calibration := s.calibration[:min(ezklCalibrationInputs, len(s.calibration))]
		err = x.writeInputs("calibration.json", calibration)
	}
	if err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func (x *ezkl) close() { os.RemoveAll(x.folder) }

// writeInputs writes sets of inputs as EZKL takes them: for each of the model's inputs
// the elements of all sets, one behind the other.
func (x *ezkl) writeInputs(name string, sets []zkml.Inputs) error {
	var file struct {
		Data [][]float64 `json:"input_data"`
	}
	for _, port := range inputfile.InputsOf(x.subject.model.Graph) {
		var data []float64
		for _, set := range sets {
			data = append(data, set[port.Name].Data...)
		}
		file.Data = append(file.Data, data)
	}
	b, err := json.Marshal(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(x.folder, name), b, 0o644)
}

// ezklTimes are the clocks of ezkl_step.py.
type ezklTimes struct{ Wall, CPU float64 }

// ezklStep is what ezkl_step.py measured.
type ezklStep struct {
	ezklTimes
	PeakMemory float64     `json:"peak_memory"`
	Within     *ezklTimes  `json:"within"`
	ProofBytes int         `json:"proof_bytes"`
	KeyBytes   int64       `json:"key_bytes"`
	Answers    [][]float64 `json:"answers"`
	Settings   *struct {
		Args struct {
			InputScale int `json:"input_scale"`
			ParamScale int `json:"param_scale"`
			Log        int `json:"logrows"`
		} `json:"run_args"`
		Rows int `json:"num_rows"`
	} `json:"settings"`
}

// stepError says why EZKL has no figures.
type stepError struct{ step, reason string }

// Error implements error.
func (e *stepError) Error() string { return e.step + ": " + e.reason }

// step runs one step in a process of its own. EZKL keeps what it caches in the folder.
func (x *ezkl) step(name string, args ...string) (*ezklStep, error) {
	ctx, stop := context.WithTimeout(x.ctx, x.o.ezklLimit)
	defer stop()
	python, err := exec.LookPath(x.o.ezkl)
	if err != nil {
		return nil, err
	}
	if python, err = filepath.Abs(python); err != nil {
		return nil, err
	}
	var output strings.Builder
	cmd := exec.CommandContext(ctx, python, append([]string{x.script, name}, args...)...)
	cmd.Dir, cmd.Env = x.folder, append(os.Environ(), "HOME="+x.folder, "EZKL_REPO_PATH="+x.folder)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return nil, &stepError{name, "not done after " + x.o.ezklLimit.String()}
		}
		lines := strings.Split(strings.TrimSpace(output.String()), "\n")
		return nil, &stepError{name, fmt.Sprintf("%v: %.300s", err, lines[len(lines)-1])}
	}
	b, err := os.ReadFile(filepath.Join(x.folder, name+".out"))
	if err != nil {
		return nil, err
	}
	out := new(ezklStep)
	return out, json.Unmarshal(b, out)
}

// calibrate has EZKL choose its settings, and returns what the circuit depends on.
func (x *ezkl) calibrate(f *ezklFigures) (string, error) {
	f.CalibrationInputs = min(ezklCalibrationInputs, len(x.subject.calibration))
	out, err := x.step("calibrate", f.Target)
	if err != nil {
		return "", err
	}
	f.Calibrate = out.Wall
	f.Rows, f.Log = out.Settings.Rows, out.Settings.Args.Log
	f.InputScale, f.ParamScale = out.Settings.Args.InputScale, out.Settings.Args.ParamScale
	return x.settings()
}

// settings returns the text of EZKL's settings, without the time and with the members
// that it writes in no fixed order sorted.
func (x *ezkl) settings() (string, error) {
	b, err := os.ReadFile(filepath.Join(x.folder, "settings.json"))
	if err != nil {
		return "", err
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return "", err
	}
	args, err := json.Marshal([]any{all["run_args"], all["num_rows"], all["total_assignments"], all["model_output_scales"]})
	return string(args), err
}

// prove takes the model from EZKL's settings to a verified proof; after each of EZKL's
// proofs we make one.
func (x *ezkl) prove(f *ezklFigures, ours *plonk.Prover, w witness.Witness) error {
	step, err := x.step("compile")
	if err != nil {
		return err
	}
	f.Compile = step.Wall
	if err := writeHalo2(filepath.Join(x.folder, "srs"), f.Log); err != nil {
		return err
	}
	if step, err = x.step("setup"); err != nil {
		return err
	}
	f.SetUp = step.Wall
	if step, err = x.step("answers"); err != nil {
		return err
	}
	if f.Accuracy, err = x.accuracy(step.Answers); err != nil {
		return err
	}
	if step, err = x.step("witness"); err != nil {
		return err
	}
	f.Witness = step.Wall
	var calls, theirs, mine []sample
	for len(theirs) < x.runs {
		if step, err = x.step("prove"); err != nil {
			return err
		}
		if step.Within == nil {
			return &stepError{"prove", "its log doesn't say how long the proof took"}
		}
		calls, theirs = append(calls, step.sample()), append(theirs, step.Within.sample())
		f.PeakMemory = max(f.PeakMemory, step.PeakMemory)
		f.ProofBytes, f.KeyBytes = step.ProofBytes, step.KeyBytes
		made, err := timed(func() error {
			_, err := ours.Prove(x.ctx, w, plonk.ProofOptions{Solver: x.subject.solver})
			return err
		})
		if err != nil {
			return err
		}
		mine = append(mine, made)
		if theirs[0].wall > ezklQuick {
			break
		}
	}
	if step, err = x.step("verify"); err != nil {
		return err
	}
	f.Verify, f.Runs = step.Wall, len(theirs)
	f.Prove, f.ProveCPU, f.Call = median(theirs, wall), median(theirs, cpu), median(calls, wall)
	f.Ours, f.OursCPU = median(mine, wall), median(mine, cpu)
	f.Ratio, f.RatioCPU = ratio(theirs, mine, wall), ratio(theirs, mine, cpu)
	return nil
}

func (t ezklTimes) sample() sample {
	return sample{time.Duration(t.Wall * float64(time.Second)), time.Duration(t.CPU * float64(time.Second))}
}

// accuracy compares EZKL's answers with the float model's.
func (x *ezkl) accuracy(answers [][]float64) (*accuracy, error) {
	a, lo, hi := new(accuracy), math.Inf(1), math.Inf(-1)
	for i, in := range x.inputs {
		want, err := x.subject.float(in)
		if err != nil {
			return nil, err
		}
		if len(answers) != len(x.inputs) || len(answers[i]) != len(want) {
			return nil, &stepError{"answers", "not as many as the model's"}
		}
		a.Inputs++
		a.add(&lo, &hi, answers[i], want)
	}
	return a, nil
}
