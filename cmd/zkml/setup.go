package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
)

// setupResult is what setup prints.
type setupResult struct {
	ProvingKey   string         `json:"proving_key"`
	VerifyingKey string         `json:"verifying_key"`
	ModelID      prover.ModelID `json:"model_id"`
	Rows         int            `json:"rows"`
	Domain       int            `json:"domain"`
	SRS          string         `json:"srs"`
	SRSID        string         `json:"srs_id"`
	Development  bool           `json:"development"`
}

func (a *app) setupCommand() *cobra.Command {
	var out, want string
	var dev bool
	cmd := &cobra.Command{
		Use:   "setup MODEL.zkml",
		Short: "make the keys of a model: model.pk and model.vk",
		Long: `Setup commits to a model's circuit and writes the proving key and the verifying key.
It takes the structured reference string that --srs names, a ceremony's file or the
digest of one that was imported; without it the smallest imported one that fits.`,
		Args: exactArgs("MODEL.zkml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := a.progress()
			defer p.done()
			p.start("compiling the circuit")
			m, err := openModel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			s, err := findSRS(cmd.Context(), p, want, m.DomainLog(), dev)
			if err != nil {
				return err
			}
			p.start("making the keys")
			pk, vk, err := zkml.Setup(m, s)
			if err != nil {
				return err
			}
			p.done()
			if out == "" {
				out = strings.TrimSuffix(args[0], ".zkml")
			}
			r := setupResult{
				ProvingKey: out + ".pk", VerifyingKey: out + ".vk", ModelID: vk.ModelID(),
				Rows: m.Circuit.Rows(), Domain: m.Circuit.Domain(),
				SRS: s.Name, SRSID: s.ID().String(), Development: s.Development(),
			}
			if err := a.writeFile(r.ProvingKey, writer(pk)); err != nil {
				return err
			}
			if err := a.writeFile(r.VerifyingKey, writer(vk)); err != nil {
				return err
			}
			if s.Development() {
				a.notice("the development srs is for development only: anyone can forge proofs for this key")
			}
			return a.emit(r, func(w io.Writer) {
				printable.Fprintf(w, "proving key\t%s\n", r.ProvingKey)
				printable.Fprintf(w, "verifying key\t%s\n", r.VerifyingKey)
				printable.Fprintf(w, "model id\t%s\n", r.ModelID)
				printable.Fprintf(w, "srs\t%s, 2^%d\n", r.SRS, m.DomainLog())
			})
		},
	}
	output(cmd.Flags(), &out, "`path` of the keys, without .pk and .vk (default: MODEL)")
	cmd.Flags().StringVar(&want, "srs", "", "a ceremony's .ptau `file`, or the first digits of an imported one's digest")
	insecure(cmd.Flags(), &dev)
	return cmd
}

// writer adapts a WriteTo.
func writer(v io.WriterTo) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := v.WriteTo(w)
		return err
	}
}

// findSRS returns the string for a domain of 2^log points that the user wants: of a
// ceremony's file, which is imported, of a digest, or the smallest that fits.
func findSRS(ctx context.Context, p *progress, want string, log int, dev bool) (*srs.SRS, error) {
	cache, err := srs.DefaultCache()
	if err != nil {
		return nil, err
	}
	if stat, err := os.Stat(want); want != "" && err == nil && !stat.IsDir() {
		p.start("checking " + want)
		ceremony, _, err := cache.Import(ctx, want, srs.ImportOptions{Progress: p.part})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", want, err)
		}
		if ceremony.Log < log {
			return nil, &hintedError{
				fmt.Errorf("%w: %s serves domains up to 2^%d, the model needs 2^%d", srs.ErrMissing, want, ceremony.Log, log),
				"take a larger file of the same ceremony",
			}
		}
		want = ceremony.ID.String()
	}
	p.start("reading the srs")
	s, err := cache.Select(log, srs.Selection{Digest: want, AllowDevelopment: dev})
	if want != "" && errors.Is(err, srs.ErrMissing) {
		return nil, &hintedError{fmt.Errorf("srs %s for a domain of 2^%d: %w", want, log, err), "zkml srs ls lists those that were imported; a file has to end in its own path"}
	}
	return s, err
}

// attachSRS gives a proving key that was read from a file the string that it names.
func attachSRS(pk *prover.ProvingKey) error {
	cache, err := srs.DefaultCache()
	if err != nil {
		return err
	}
	vk := pk.VerifyingKey()
	s, err := cache.Load(vk.SRSID(), vk.Log())
	if errors.Is(err, srs.ErrMissing) {
		return &hintedError{
			fmt.Errorf("the key was made with the srs %s (%s): %w", pk.SRSName(), vk.SRSID(), err),
			"import the ceremony's file with zkml srs import",
		}
	}
	if err != nil {
		return err
	}
	return pk.Attach(s)
}
