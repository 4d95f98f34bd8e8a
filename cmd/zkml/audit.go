package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml/audit"
	"github.com/zkml-go/zkml/internal/printable"
)

// survivorsError says that a circuit accepts a witness that it shouldn't.
type survivorsError struct{ count int }

func (e *survivorsError) Error() string {
	return fmt.Sprintf("the circuit accepts %d witnesses that differ from the honest one", e.count)
}

func (a *app) auditCommand() *cobra.Command {
	var witnesses int
	o := audit.Options{}
	cmd := &cobra.Command{
		Use:   "audit MODEL.zkml",
		Short: "look for values that the circuit leaves to the prover",
		Long: `Audit takes honest witnesses for random inputs, changes what a prover may choose,
completes the change as an adversary would, and evaluates every row that it touches.
A change that all rows accept is a survivor: it is printed with its ONNX node, gadget
and row, and the exit code is 15. Circuits of at most 4096 rows are tried
exhaustively, of larger ones a sample of each node, gadget and role.`,
		Args: exactArgs("MODEL.zkml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if witnesses < 1 || o.Sample < 1 {
				return usagef("--witnesses and --sample take a number of at least 1")
			}
			p := a.progress()
			defer p.done()
			p.start("compiling")
			m, err := openModel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			p.start("auditing")
			o.Progress = p.part
			inputs, err := audit.Random(m.Circuit, witnesses, o.Seed)
			if err != nil {
				return err
			}
			r, err := audit.Run(cmd.Context(), audit.Of(m.Circuit), inputs, o)
			if err != nil {
				return err
			}
			p.done()
			if err := a.emit(r, func(w io.Writer) { printAudit(w, r) }); err != nil {
				return err
			}
			if n := len(r.Survivors); n > 0 {
				return &survivorsError{n}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&witnesses, "witnesses", 2, "`number` of honest witnesses to change")
	flags.IntVar(&o.Sample, "sample", 1000, "`number` of changes for each node, gadget and role of a large circuit")
	flags.Uint64Var(&o.Seed, "seed", 1, "`number` that makes inputs and sample")
	return cmd
}

func printAudit(w io.Writer, r *audit.Result) {
	printable.Fprintf(w, "rows\t%s\nwires\t%s\n", grouped(r.Rows), grouped(r.Wires))
	how := "every wire with every change"
	if !r.Exhaustive {
		how = "a sample"
	}
	printable.Fprintf(w, "changes\t%s, %s\n", grouped(r.Mutations), how)
	for role, n := range r.Exempt {
		printable.Fprintf(w, "exempt\t%s: %s\n", role, grouped(n))
	}
	printable.Fprintf(w, "given up\t%s\n", grouped(r.Inconclusive))
	printable.Fprintf(w, "survivors\t%s\n", grouped(len(r.Survivors)))
	printable.Fprintf(w, "\nNODE\tGADGET\tROLE\tWIRES\tCHANGES\n")
	for _, s := range r.Strata {
		sampled := ""
		if s.Sampled {
			sampled = " sampled"
		}
		printable.Fprintf(w, "%s\t%s\t%s\t%s\t%s%s\n", nodeName(s.Node), s.Gadget, s.Role, grouped(s.Wires), grouped(s.Mutations), sampled)
	}
	printable.Fprintf(w, "\nThe inputs determine %s wires by rows and lookups that the static pass knows. The rest:\n\n", grouped(r.Derived))
	printable.Fprintf(w, "NODE\tGADGET\tROLE\tWIRES\tREASON\n")
	for _, u := range r.Underived {
		printable.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", nodeName(u.Node), u.Gadget, u.Role, grouped(u.Wires), u.Reason)
	}
	for _, s := range r.Survivors {
		printable.Fprintf(w, "\nsurvivor: %s\n", s)
	}
}

// nodeName names what belongs to no node.
func nodeName(node string) string {
	if node == "" {
		return "(shared)"
	}
	return node
}
