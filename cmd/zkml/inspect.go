package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/quantize"
)

// inspectResult is what inspect prints.
type inspectResult struct {
	Rows   int `json:"rows"`
	Domain int `json:"domain"`
	// PublicWords is the part of Rows that the public words take.
	PublicWords int `json:"public_words"`
	// Batch is the number of inferences of a proof, if the model was compiled for one.
	Batch         int                    `json:"batch,omitempty"`
	Widths        []int                  `json:"widths"`
	SoundnessBits int                    `json:"soundness_bits"`
	Manifest      *circuit.Manifest      `json:"manifest"`
	ProgramDigest string                 `json:"program_digest"`
	Layout        []circuit.Line         `json:"layout"`
	Gadgets       []circuit.Line         `json:"gadgets"`
	Tensors       []quantize.LayerReport `json:"tensors"`
	Accuracy      *quantize.Report       `json:"accuracy"`
}

func (a *app) inspectCommand() *cobra.Command {
	var f compileFlags
	var tensors bool
	cmd := &cobra.Command{
		Use:   "inspect MODEL.onnx|MODEL.zkml",
		Short: "show what a model costs to prove: rows for each layer and gadget",
		Long: `Inspect shows the rows of the circuit for each ONNX node and for what they are
spent, the domain, the soundness, what a proof shows and, with --tensors, scales and
intervals. An ONNX file is compiled for that, with the same flags as compile.`,
		Args: exactArgs("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.openOrCompile(cmd, args[0], &f)
			if err != nil {
				return err
			}
			c := m.Circuit
			layout := inProgramOrder(c.Layout(), m.Program)
			r := inspectResult{
				Rows: c.Rows(), Domain: c.Domain(), PublicWords: c.Manifest.NbWords(), Widths: c.Widths, Batch: m.Settings.Batch,
				SoundnessBits: c.SoundnessBits(), Manifest: c.Manifest,
				ProgramDigest: fmt.Sprintf("%x", c.Manifest.ProgramDigest),
				Layout:        layout, Gadgets: byGadget(layout), Tensors: m.Report.Layers, Accuracy: m.Report,
			}
			return a.emit(r, func(w io.Writer) {
				printInspection(w, &r)
				if tensors {
					printTensors(w, m.Program)
				}
			})
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&tensors, "tensors", false, "list the integer program's tensors with their scales and intervals")
	return cmd
}

// openOrCompile reads a compiled model, or compiles an ONNX file.
func (a *app) openOrCompile(cmd *cobra.Command, path string, f *compileFlags) (*zkml.Model, error) {
	if filepath.Ext(path) == ".onnx" {
		return a.compileModel(cmd.Context(), path, f)
	}
	if cmd.Flags().NFlag() > 0 && (f.choices() || f.samples != "" || f.settings != "") {
		return nil, usagef("%s is compiled already: flags that choose how to compile are for ONNX files", path)
	}
	return openModel(cmd.Context(), path)
}

// inProgramOrder sorts the lines by the first tensor of their node; those of no node,
// which the whole circuit shares, come last.
func inProgramOrder(lines []circuit.Line, p *quantize.Program) []circuit.Line {
	first := make(map[string]int)
	for i := range p.Nodes {
		if _, ok := first[p.Nodes[i].Name]; !ok {
			first[p.Nodes[i].Name] = i
		}
	}
	position := func(line circuit.Line) int {
		if i, ok := first[line.Node]; ok && line.Node != "" {
			return i
		}
		return len(p.Nodes)
	}
	slices.SortStableFunc(lines, func(a, b circuit.Line) int { return position(a) - position(b) })
	return lines
}

// byGadget adds up the layout's rows over the nodes, in the order of first use.
func byGadget(lines []circuit.Line) []circuit.Line {
	var sums []circuit.Line
	index := make(map[string]int)
	for _, line := range lines {
		i, ok := index[line.Gadget]
		if !ok {
			i = len(sums)
			index[line.Gadget] = i
			sums = append(sums, circuit.Line{Gadget: line.Gadget})
		}
		sums[i].Rows += line.Rows
	}
	return sums
}

func printInspection(w io.Writer, r *inspectResult) {
	printable.Fprintf(w, "model\t%s\n", r.Manifest.Model)
	printable.Fprintf(w, "rows\t%s, %s of them public words\n", grouped(r.Rows), grouped(r.PublicWords))
	printable.Fprintf(w, "domain\t%s, %.0f %% used\n", grouped(r.Domain), 100*float64(r.Rows)/float64(r.Domain))
	if r.Batch > 0 {
		printable.Fprintf(w, "batch\t%d inferences, %s rows each\n", r.Batch, grouped((r.Rows+r.Batch-1)/r.Batch))
	}
	printable.Fprintf(w, "soundness\t%d bits of challenges\n", r.SoundnessBits)
	printable.Fprintf(w, "tables\t%v bits\n", r.Widths)
	printable.Fprintf(w, "weights\t%s\n", r.Manifest.Weights)
	for _, p := range r.Manifest.Inputs {
		printPublic(w, "input", &p)
	}
	for _, p := range r.Manifest.Outputs {
		printPublic(w, "output", &p)
	}
	printable.Fprintf(w, "\nNODE\tGADGET\tROWS\n")
	for _, line := range r.Layout {
		node := line.Node
		if node == "" {
			node = "(shared)"
		}
		printable.Fprintf(w, "%s\t%s\t%s\n", node, line.Gadget, grouped(line.Rows))
	}
	printable.Fprintf(w, "\nGADGET\tROWS\t\n")
	for _, line := range r.Gadgets {
		printable.Fprintf(w, "%s\t%s\t%.1f %%\n", line.Gadget, grouped(line.Rows), 100*float64(line.Rows)/float64(r.Rows))
	}
}

// printTensors lists what the program computes, constants left out.
func printTensors(w io.Writer, p *quantize.Program) {
	printable.Fprintf(w, "\nTENSOR\tOP\tSHAPE\tSCALE\tINTERVAL\n")
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if _, constant := n.Op.(quantize.Const); constant {
			continue
		}
		printable.Fprintf(w, "%s\t%s\t%v\t%v\t[%d, %d]\n", n.Name, fmt.Sprintf("%T", n.Op)[len("quantize."):], n.Shape, n.Scale, n.Lo, n.Hi)
	}
}

// printPublic describes one input or output.
func printPublic(w io.Writer, role string, p *circuit.Public) {
	printable.Fprintf(w, "%s\t%s %v, %s, %d bits from %d, unit %v\n", role, p.Name, p.Shape, p.Visibility, p.Bits, p.Lo, p.Scale)
}
