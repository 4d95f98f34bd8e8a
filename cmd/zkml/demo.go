package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/testdata"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// demoResult is what demo measures.
type demoResult struct {
	Rows             int         `json:"rows"`
	Domain           int         `json:"domain"`
	CompileSeconds   float64     `json:"compile_seconds"`
	SRSSeconds       float64     `json:"srs_seconds"`
	SetupSeconds     float64     `json:"setup_seconds"`
	ProveSeconds     float64     `json:"prove_seconds"`
	VerifySeconds    float64     `json:"verify_seconds"`
	ProofBytes       int         `json:"proof_bytes"`
	VerifyingKeySize int64       `json:"verifying_key_bytes"`
	Label            int64       `json:"label"`
	TamperedRejected bool        `json:"tampered_rejected"`
	EVM              *evm.Report `json:"evm,omitempty"`
}

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "prove LeNet-5's answer on one digit and have a contract accept it",
		Long: `Demo does all that zkml is for, on a model and a digit that are part of the program:
it compiles LeNet-5, makes keys with the development srs, proves which digit the
model sees, verifies the proof here and in the Solidity contract, and shows that a
changed answer is rejected.`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &demo{app: a, p: a.progress()}
			defer d.p.done()
			if err := d.run(cmd.Context()); err != nil {
				return err
			}
			d.p.done()
			if a.json {
				return a.printJSON(d.result)
			}
			return nil
		},
	}
}

// demo is one run of the demonstration.
type demo struct {
	app    *app
	p      *progress
	result demoResult

	model  *zkml.Model
	inputs zkml.Inputs
	pk     *prover.ProvingKey
	vk     *prover.VerifyingKey
	proof  *prover.Proof
}

// say prints a line of the story.
func (d *demo) say(format string, args ...any) {
	if !d.app.json {
		d.p.printf(format+"\n", args...)
	}
}

// timed runs one step and returns how many seconds it took.
func (d *demo) timed(step string, f func() error) (float64, error) {
	d.p.start(step)
	start := time.Now()
	err := f()
	return time.Since(start).Seconds(), err
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.result.CompileSeconds, err = d.timed("compiling", func() error { return d.compile(ctx) }); err != nil {
		return err
	}
	d.draw()
	d.result.Rows, d.result.Domain = d.model.Circuit.Rows(), d.model.Circuit.Domain()
	d.say("compile  %.1f s: LeNet-5 from its ONNX file, %s rows in a domain of %s", d.result.CompileSeconds, grouped(d.result.Rows), grouped(d.result.Domain))
	if err := d.setup(); err != nil {
		return err
	}
	if err := d.prove(ctx); err != nil {
		return err
	}
	return d.contract()
}

// compile loads what is embedded.
func (d *demo) compile(ctx context.Context) error {
	network, err := zkml.LoadBytes(testdata.LeNet5, zkml.LoadOptions{Name: "lenet5", Head: zkml.ArgMax()})
	if err != nil {
		return err
	}
	ports := inputfile.InputsOf(network.Graph)
	samples, err := inputfile.ParseSamples("samples.json", testdata.LeNet5Samples, ports)
	if err != nil {
		return err
	}
	if d.inputs, err = inputfile.Parse("input.json", testdata.LeNet5Input, ports); err != nil {
		return err
	}
	d.model, err = zkml.Compile(ctx, network, zkml.Options{
		Samples:   samples,
		Encodings: map[string]quantize.Encoding{"image": {Bits: 8, Scale: quantize.Scale{Num: 1, Den: 255}}},
	})
	return err
}

// draw shows the digit.
func (d *demo) draw() {
	const shades = " .:-=+*#%@"
	pixels, side := d.inputs["image"].Data, 28
	for y := range side {
		var line strings.Builder
		for x := range side {
			shade := int(pixels[y*side+x] * float64(len(shades)-1))
			line.WriteString(strings.Repeat(shades[shade:shade+1], 2))
		}
		if text := strings.TrimRight(line.String(), " "); text != "" {
			d.say("%s", text)
		}
	}
	d.say("")
}

// setup makes the keys with the development string.
func (d *demo) setup() (err error) {
	cache, err := srs.DefaultCache()
	if err != nil {
		return err
	}
	var s *srs.SRS
	d.result.SRSSeconds, err = d.timed("making the development srs", func() error {
		s, err = cache.Development(d.model.DomainLog())
		return err
	})
	if err != nil {
		return err
	}
	d.result.SetupSeconds, err = d.timed("making the keys", func() error {
		d.pk, d.vk, err = zkml.Setup(d.model, s)
		return err
	})
	if err != nil {
		return err
	}
	if d.result.VerifyingKeySize, err = d.vk.WriteTo(io.Discard); err != nil {
		return err
	}
	d.say("srs      %.1f s: the development string for 2^%d, from now on cached (its secret is public: for development only)", d.result.SRSSeconds, s.Log)
	d.say("setup    %.1f s: verifying key of %s bytes, model id %s", d.result.SetupSeconds, grouped(d.result.VerifyingKeySize), d.vk.ModelID())
	return nil
}

// prove makes the proof, verifies it, and shows that a changed answer is rejected.
func (d *demo) prove(ctx context.Context) (err error) {
	d.result.ProveSeconds, err = d.timed("proving", func() error {
		d.proof, err = zkml.Prove(ctx, d.model, d.pk, d.inputs, zkml.ProveOptions{Progress: d.p.start})
		return err
	})
	if err != nil {
		return err
	}
	d.result.ProofBytes = len(d.proof.Raw)
	d.say("prove    %.1f s: %s bytes, %d public words", d.result.ProveSeconds, grouped(d.result.ProofBytes), len(d.proof.Words))
	expect := zkml.Expectation{AllowDevelopmentSRS: true}
	var verdict *prover.Verdict
	d.result.VerifySeconds, err = d.timed("verifying", func() error {
		verdict, err = zkml.Verify(d.vk, d.proof, expect)
		return err
	})
	if err != nil {
		return err
	}
	d.result.Label = verdict.Values[len(verdict.Values)-1].Integers[0]
	d.say("verify   %.1f ms: accepted, the model sees a %d", 1000*d.result.VerifySeconds, d.result.Label)
	tampered, err := d.tamper()
	if err != nil {
		return err
	}
	if _, err := zkml.Verify(d.vk, tampered, expect); !errors.Is(err, prover.ErrRejected) {
		return fmt.Errorf("a proof with a changed answer wasn't rejected: %v", err)
	}
	d.result.TamperedRejected = true
	d.say("tamper   the same proof with another digit as its answer: rejected")
	return nil
}

// tamper returns the proof with another answer, and decoded values that agree.
func (d *demo) tamper() (*prover.Proof, error) {
	p := *d.proof
	p.Words = append([]fr.Element{}, p.Words...)
	p.Words[len(p.Words)-1].SetInt64((d.result.Label + 1) % 10)
	var err error
	p.Values, err = prover.DecodeWords(d.vk.Manifest(), p.Words)
	return &p, err
}

// contract runs zkml's verifier on the proof and on the changed one.
func (d *demo) contract() error {
	d.p.start("running the contract")
	report, err := evm.Verify(d.vk, d.proof)
	if err != nil {
		return err
	}
	d.result.EVM = report
	d.say("contract accepted in go-ethereum's EVM (%s): %s gas, of which %s for the verifier's code", report.Fork, grouped(report.TransactionGas), grouped(report.ExecutionGas))
	d.say("         %s bytes of code for all models, %s gas to register this one", grouped(report.VerifierBytes), grouped(report.RegistrationGas))
	tampered, err := d.tamper()
	if err != nil {
		return err
	}
	if _, err := evm.Verify(d.vk, tampered); !errors.Is(err, evm.ErrRejected) {
		return fmt.Errorf("the contract didn't reject a changed answer: %v", err)
	}
	d.say("         with another digit as its answer: reverted")
	return nil
}
