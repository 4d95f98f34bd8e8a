package main

import (
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/onnx"
)

// versionResult is what version prints.
type versionResult struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	Format  int    `json:"format"`
	Opsets  [2]int `json:"opsets"`
	// Operators are the names of the ONNX operators that can be compiled.
	Operators []string `json:"operators"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version of this program and of its formats",
		Args:  exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			r := versionResult{
				Version: "(unknown)", Go: runtime.Version(), Format: circuit.FormatVersion,
				Opsets: [2]int{onnx.MinOpset, onnx.MaxOpset}, Operators: onnx.Operators(),
			}
			if info, ok := debug.ReadBuildInfo(); ok {
				r.Version = info.Main.Version
			}
			return a.emit(r, func(w io.Writer) {
				printable.Fprintf(w, "zkml %s, %s\n", r.Version, r.Go)
				printable.Fprintf(w, "file formats %d; onnx opsets %d to %d, %d operators\n", r.Format, r.Opsets[0], r.Opsets[1], len(r.Operators))
			})
		},
	}
}
