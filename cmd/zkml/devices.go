package main

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/consensys/gnark/constraint"
	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/gpu"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
)

// devicesResult is what devices prints.
type devicesResult struct {
	Cards []cardResult `json:"cards"`
	// Why says why there is none.
	Why string `json:"why,omitempty"`
}

// cardResult is a CUDA card. Memory is in bytes.
type cardResult struct {
	Device     string `json:"device"`
	Name       string `json:"name"`
	Capability string `json:"capability"`
	Memory     uint64 `json:"memory"`
	Free       uint64 `json:"free"`
}

func (a *app) devicesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "devices",
		Short: "list what proofs can be made on",
		Args:  exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			cards, err := gpu.Devices()
			r := devicesResult{Cards: []cardResult{}}
			switch {
			case errors.Is(err, gpu.ErrNotBuilt), errors.Is(err, gpu.ErrNoCard):
				r.Why = err.Error()
			case err != nil:
				return err
			}
			for _, c := range cards {
				r.Cards = append(r.Cards, cardResult{Device: deviceName(c.Index), Name: c.Name, Capability: c.Capability, Memory: c.Total, Free: c.Avail})
			}
			return a.emit(r, func(w io.Writer) {
				printable.Fprintf(w, "cpu\n")
				for _, c := range r.Cards {
					printable.Fprintf(w, "%s: %s, capability %s, %d MiB, %d MiB free\n", c.Device, c.Name, c.Capability, c.Memory>>20, c.Free>>20)
				}
				if r.Why != "" {
					printable.Fprintf(w, "cuda: %s\n", r.Why)
				}
			})
		},
	}
}

// deviceName is what --device calls a card.
func deviceName(index int) string { return "cuda:" + strconv.Itoa(index) }

// proveOn proves on the device of this name, and on the CPU where the card fails.
func (a *app) proveOn(ctx context.Context, device string, m *zkml.Model, pk *prover.ProvingKey, inputs zkml.Inputs, options zkml.ProverOptions, o zkml.ProveOptions) (*prover.Proof, error) {
	choice, err := gpu.ParseChoice(device)
	if err != nil {
		return nil, usage(err)
	}
	card, why, err := gpu.Select(choice)
	if err != nil {
		return nil, &hintedError{usage(err), "zkml devices lists what there is; --device auto takes the CPU where there is no card"}
	}
	if why != nil {
		a.log.Info("proving on the CPU", "why", why)
	}
	if card == nil {
		return proveOnce(ctx, m, pk, inputs, options, o)
	}
	onCard := options
	onCard.Device = card
	var proof *prover.Proof
	commitments, _ := m.Circuit.System.CommitmentInfo.(constraint.PlonkCommitments)
	failed := card.Fits(1<<m.DomainLog(), len(commitments), options.LowMemory)
	if failed == nil {
		proof, failed = proveOnce(ctx, m, pk, inputs, onCard, o)
	}
	if closed := card.Close(); failed == nil {
		failed = closed // a witness may be left on the card
	}
	if failed == nil || ctx.Err() != nil {
		return proof, failed
	}
	// Whatever the error says: a proof that doesn't verify may be the card's mistake, too.
	if proof, err = proveOnce(ctx, m, pk, inputs, options, o); err == nil {
		a.notice("proved on the CPU: %v", failed)
	}
	return proof, err
}

// proveOnce makes one proof.
func proveOnce(ctx context.Context, m *zkml.Model, pk *prover.ProvingKey, inputs zkml.Inputs, options zkml.ProverOptions, o zkml.ProveOptions) (*prover.Proof, error) {
	p, err := zkml.NewProver(m, pk, options)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Prove(ctx, inputs, o)
}
