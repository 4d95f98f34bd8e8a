package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// deviceFlag is the flag --device.
type deviceFlag struct{ name string }

func (f *deviceFlag) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.name, "device", "auto", "where to prove: cpu, cuda:N, or auto, the first CUDA card if there is one")
}

// check returns an error for what isn't the name of a device. A command without the flag has
// none.
func (f *deviceFlag) check() error {
	if f.name == "" {
		return nil
	}
	if _, err := gpu.ParseChoice(f.name); err != nil {
		return usage(err)
	}
	return nil
}

// open opens the device and returns its name and options of provers that use it. What a card
// fails at they prove on the CPU; report is told why. close frees the card.
func (f *deviceFlag) open(lowMemory bool, report func(error)) (name string, o zkml.ProverOptions, close func(), err error) {
	o = zkml.ProverOptions{LowMemory: lowMemory}
	choice, err := gpu.ParseChoice(f.name)
	if err != nil {
		return "", o, nil, usage(err)
	}
	card, why, err := gpu.Select(choice)
	if errors.Is(err, gpu.ErrNotBuilt) || errors.Is(err, gpu.ErrNoCard) {
		err = usage(err)
	}
	if err != nil {
		return "", o, nil, &hintedError{err, "zkml devices lists what there is; --device cpu proves without a card"}
	}
	if card == nil {
		if why != nil && !errors.Is(why, gpu.ErrNotBuilt) {
			report(fmt.Errorf("proving on the CPU: %w", why))
		}
		return "cpu", o, func() {}, nil
	}
	o.Engine = func(system *cs.SparseR1CS, key *gnark.ProvingKey) prover.Engine {
		return gpu.NewProver(system, key, gpu.Options{Card: card, LowMemory: lowMemory, Report: report})
	}
	return deviceName(card.Index()), o, func() {
		if err := card.Close(); err != nil {
			report(fmt.Errorf("free the card's memory: %w", err))
		}
	}, nil
}
