// Command full runs the whole audit of this project: every gadget, every integer
// operator and every model of testdata, and each gadget again without each kind of its
// rows and queries. Then it makes every attack of package attacks. Its last line sums it
// up. It fails if something survives, if a deletion is neither detected nor explained, or
// explained and detected, or if an attack isn't rejected.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/consensys/gnark/logger"

	"github.com/zkml-go/zkml/audit"
	"github.com/zkml-go/zkml/audit/internal/attacks"
	"github.com/zkml-go/zkml/audit/internal/cases"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

func main() {
	folder := flag.String("testdata", "testdata", "`folder` of the models")
	flag.Parse()
	logger.Disable()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	found, err := run(ctx, os.Stdout, *folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
	if found {
		os.Exit(15)
	}
}

// run reports whether something is wrong.
func run(ctx context.Context, w io.Writer, folder string) (bool, error) {
	if _, err := evm.FindCompiler(); err != nil { // attacks come last
		return false, err
	}
	gadgets, err := cases.Gadgets()
	if err != nil {
		return false, err
	}
	operators, err := cases.Operators()
	if err != nil {
		return false, err
	}
	var sum total
	// Small circuits are tried twice: lookups looked up, and proven by their rows alone.
	// In larger ones that takes hours: every false result goes through all sums.
	for _, c := range append(gadgets[:len(gadgets):len(gadgets)], operators...) {
		for _, exact := range []bool{false, true} {
			if exact && c.System.CS.GetNbConstraints() > maxExact {
				continue
			}
			if err := sum.audit(ctx, w, c, audit.Options{Exact: exact}, !exact); err != nil {
				return false, err
			}
		}
	}
	names, err := cases.ModelNames(folder)
	if err != nil {
		return false, err
	}
	variants := map[string][]cases.Variant{"breast_cancer": cases.Variants}
	for _, name := range names {
		for _, v := range append([]cases.Variant{{}}, variants[name]...) {
			c, err := cases.Model(folder, name, v, 2)
			if err != nil {
				return false, err
			}
			if err := sum.audit(ctx, w, c, audit.Options{}, true); err != nil {
				return false, err
			}
		}
	}
	c, err := cases.Convolution()
	if err != nil {
		return false, err
	}
	if err := sum.audit(ctx, w, c, audit.Options{}, true); err != nil {
		return false, err
	}
	for _, c := range gadgets {
		if err := sum.power(ctx, w, c); err != nil {
			return false, err
		}
	}
	for _, kind := range cases.Unmatched(sum.deletions) {
		sum.wrong++
		fmt.Fprintf(w, "EXPLAINED but not there: %s\n", kind)
	}
	sum.rejected, sum.attacks = attack(ctx, w)
	fmt.Fprintln(w, sum.line())
	return sum.survivors > 0 || sum.wrong > 0 || sum.rejected < sum.attacks, nil
}

// attack makes every attack, through Verify and through the contracts, and returns how
// many were rejected and how many there are. One counts as rejected if a build without
// what stops it accepts it.
func attack(ctx context.Context, w io.Writer) (rejected, attempted int) {
	runner := attacks.NewRunner()
	runner.Contracts = true
	list := attacks.All()
	for _, a := range list {
		if err := runner.Run(ctx, a); err != nil {
			fmt.Fprintf(w, "ATTACK %v\n", err)
			continue
		}
		rejected++
		fmt.Fprintf(w, "attack: %s (%s): rejected by %s\n", a.Name, a.Source, a.Stop)
	}
	for _, a := range attacks.Absent {
		fmt.Fprintf(w, "no attack: %s: %s\n", a.Name, a.Reason)
	}
	return rejected, len(list)
}

// maxExact is the most rows of a circuit whose lookups are proven by their rows.
const maxExact = 250

// total is what the last line says.
type total struct {
	circuits, wires, mutations, survivors, detected int
	rejected, attacks                               int
	deletions                                       []audit.Deletion
	wrong                                           int // deletions that aren't as explained
}

// line is the last line.
func (t *total) line() string {
	return fmt.Sprintf("audit: %d circuits, %d wires, %d mutations, %d survivors, %d of %d deletions detected, %d of %d attacks rejected",
		t.circuits, t.wires, t.mutations, t.survivors, t.detected, len(t.deletions), t.rejected, t.attacks)
}

func (t *total) audit(ctx context.Context, w io.Writer, c cases.Case, o audit.Options, first bool) error {
	start := time.Now()
	r, err := audit.Run(ctx, c.System, c.Inputs, o)
	if err != nil {
		return fmt.Errorf("%s: %w", c.System.Name, err)
	}
	if first {
		t.circuits++
		t.wires += r.Wires
	}
	t.mutations += r.Mutations
	t.survivors += len(r.Survivors)
	how := "exhaustive"
	if !r.Exhaustive {
		how = "sampled"
	}
	if o.Exact {
		how += ", lookups by their rows"
	}
	fmt.Fprintf(w, "%s: %d rows, %d mutations (%s), %d given up, exempt %v, %d survivors, %v\n",
		r.Name, r.Rows, r.Mutations, how, r.Inconclusive, r.Exempt, len(r.Survivors), time.Since(start).Round(time.Millisecond))
	if !r.Exhaustive {
		for _, s := range r.Strata {
			fmt.Fprintf(w, "  %s, %s, %s: %d mutations of %d wires\n", s.Node, s.Gadget, s.Role, s.Mutations, s.Wires)
		}
	}
	for _, s := range r.Survivors {
		fmt.Fprintf(w, "  SURVIVOR %s\n", s)
	}
	return nil
}

func (t *total) power(ctx context.Context, w io.Writer, c cases.Case) error {
	list, err := audit.Power(ctx, c.System, c.Inputs, audit.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", c.System.Name, err)
	}
	t.deletions = append(t.deletions, list...)
	for _, d := range list {
		why := cases.Explain(d)
		what := fmt.Sprintf("%s without %s of %s (%d)", d.System, d.Kind, d.Gadget, d.Count)
		if d.Detected {
			t.detected++
		}
		switch {
		case d.Detected && why != "":
			t.wrong++
			fmt.Fprintf(w, "DETECTED though explained: %s\n", what)
		case !d.Detected && why != "":
			fmt.Fprintf(w, "not detected: %s: %s\n", what, why)
		case !d.Detected:
			t.wrong++
			fmt.Fprintf(w, "NOT DETECTED: %s\n", what)
		}
	}
	return nil
}
