package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
)

// proveResult is what prove prints.
type proveResult struct {
	File       string         `json:"file"`
	ModelID    prover.ModelID `json:"model_id"`
	Context    prover.Word    `json:"context"`
	ProofBytes int            `json:"proof_bytes"`
	Words      int            `json:"words"`
	Seconds    float64        `json:"seconds"`
	Values     []prover.Value `json:"values"`
	Secrets    string         `json:"secrets,omitempty"` // the file with salts and hidden outputs
}

func (a *app) proveCommand() *cobra.Command {
	var from inputFlags
	var device deviceFlag
	var key, word, out, secrets string
	var clamp, lowMemory bool
	var salts []string
	cmd := &cobra.Command{
		Use:   "prove MODEL.zkml --input INPUT",
		Short: "prove the model's answer to one input: proof.json",
		Long: `Prove proves the model's answer to one input; its answers to N inputs, if the model was
compiled with --batch N; or, with --dataset, how many answers are right, if it was
compiled with --dataset-size.`,
		Args: exactArgs("MODEL.zkml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := from.require(); err != nil {
				return err
			}
			o, err := proveOptions(word, clamp)
			if err != nil {
				return err
			}
			if key == "" {
				key = beside(args[0], ".pk")
			}
			p := a.progress()
			defer p.done()
			m, pk, err := a.openProver(cmd, args[0], key, p)
			if err != nil {
				return err
			}
			inputs, err := from.read(args[0], m)
			if err != nil {
				return err
			}
			keep := secretsPath(m, secrets, out)
			if keep == "-" {
				return usagef("flag --secrets is required: the proof goes to standard output, and its salts have to be kept")
			}
			if keep != "" {
				o.Secrets = &zkml.Secrets{}
				if secrets != "" {
					if o.Secrets, err = readSecrets(secrets); err != nil {
						return err
					}
					if keep, err = a.placeSecrets(m, keep, out, o.Secrets); err != nil {
						return err
					}
				}
				if o.Salts, err = readSalts(salts); err != nil {
					return err
				}
			}
			o.Progress = p.start
			_, options, free, err := device.open(lowMemory, func(err error) { a.notice("%v", err) })
			if err != nil {
				return err
			}
			defer free()
			prove, err := zkml.NewProver(m, pk, options)
			if err != nil {
				return err
			}
			defer prove.Close()
			start := time.Now()
			proof, err := prove.Prove(cmd.Context(), inputs, o)
			if err != nil {
				return err
			}
			took := time.Since(start)
			p.done()
			if pk.VerifyingKey().Development() {
				a.notice("the key is of the development srs: whoever relies on the proof has to accept that anyone can forge it")
			}
			if keep != "" {
				if err := a.writeSecrets(keep, o.Secrets); err != nil {
					return err
				}
			}
			if err := a.writeFile(out, writer(proof)); err != nil {
				return err
			}
			if out == "-" {
				return nil
			}
			r := proveResult{
				File: out, ModelID: proof.ModelID, Context: prover.Word(proof.Context()), ProofBytes: len(proof.Raw),
				Words: len(proof.Words), Seconds: took.Seconds(), Values: proof.Values, Secrets: keep,
			}
			return a.emit(r, func(w io.Writer) {
				printable.Fprintf(w, "%s: proved in %.1f s, %s bytes and %d public words\n", out, r.Seconds, grouped(r.ProofBytes), r.Words)
				printBatch(w, proof.Values, "output", m.Settings.Batch)
				printCount(w, proof.Values, m.Settings.DatasetSize)
				if keep != "" {
					printable.Fprintf(w, "%s: the salts and the answers that the proof doesn't show; keep it secret\n", keep)
				}
			})
		},
	}
	flags := cmd.Flags()
	from.add(flags)
	flags.StringVar(&key, "pk", "", "the proving key (default: MODEL.pk)")
	flags.StringVar(&word, "context", "0", "the word that binds the proof to one use, at most 248 bits")
	flags.BoolVar(&clamp, "clamp", false, "move inputs outside their interval to its nearest end instead of refusing them")
	device.add(flags)
	flags.BoolVar(&lowMemory, "low-memory", false, "keep less in memory and compute it anew")
	flags.StringVar(&secrets, "secrets", "", "`file` with salts of inputs and weights, such as commit's; the rest, and new salts of outputs, are drawn and written to it, or beside the proof if it has an earlier proof's answers (default: all new, beside the proof: PROOF.secrets.json)")
	flags.StringArrayVar(&salts, "salt", nil, "salt of a hashed tensor from another proof's secrets, `NAME=SECRETS:OTHER`, so that equal values have equal digests; repeatable")
	flags.StringVarP(&out, "output", "o", "proof.json", "the proof; - for standard output")
	return cmd
}

// placeSecrets returns where a proof's secrets go if those of a file were taken: to the
// file, unless it has the secrets of an earlier proof, whose digests nobody could open
// without them.
func (a *app) placeSecrets(m *zkml.Model, path, proof string, s *zkml.Secrets) (string, error) {
	earlier := len(s.Outputs) > 0
	for _, p := range m.Circuit.Manifest.Outputs {
		_, salted := s.Salts[p.Name]
		earlier = earlier || salted
	}
	switch {
	case !earlier:
		return path, nil
	case proof == "-":
		return "", usagef("--secrets %s: it has the secrets of an earlier proof, and this proof goes to standard output: copy commit's file for each", path)
	}
	place := beside(proof, ".secrets.json")
	if place != path {
		a.notice("%s has the secrets of an earlier proof: those of this one go to %s", path, place)
	}
	return place, nil
}

// secretsPath is where a proof's secrets go: "" if it has none.
func secretsPath(m *zkml.Model, given, proof string) string {
	hidden := len(m.Circuit.Manifest.Hashed()) > 0
	for _, p := range m.Circuit.Manifest.Outputs {
		hidden = hidden || p.Visibility == circuit.Private
	}
	switch {
	case !hidden:
		return ""
	case given != "" || proof == "-":
		return cmp.Or(given, "-")
	}
	return beside(proof, ".secrets.json")
}

// proveOptions reads the flags that prove and check share.
func proveOptions(word string, clamp bool) (zkml.ProveOptions, error) {
	c, err := zkml.ParseContext(word)
	if err != nil {
		return zkml.ProveOptions{}, usage(err)
	}
	return zkml.ProveOptions{Context: c, Clamp: clamp}, nil
}

// openProver reads a model and its proving key.
func (a *app) openProver(cmd *cobra.Command, model, key string, p *progress) (*zkml.Model, *prover.ProvingKey, error) {
	p.start("reading the key")
	pk, err := readFile(key, prover.ReadProvingKey)
	if err != nil {
		return nil, nil, withHint(err, "zkml setup "+model+" makes the keys")
	}
	p.start("compiling the circuit")
	m, err := openModel(cmd.Context(), model)
	if err != nil {
		return nil, nil, err
	}
	if err := pk.VerifyingKey().CheckModel(m.Circuit.Manifest); err != nil {
		return nil, nil, fmt.Errorf("%s and %s: %w", key, model, err)
	}
	// Checked before a string is read or made for a domain that only the file names.
	if log := pk.VerifyingKey().Log(); log != m.DomainLog() {
		return nil, nil, fmt.Errorf("%w: %s is for a domain of 2^%d rows: the circuit of %s has 2^%d", prover.ErrMismatch, key, log, model, m.DomainLog())
	}
	p.start("reading the srs")
	if err := attachSRS(pk); err != nil {
		return nil, nil, err
	}
	return m, pk, nil
}
