package cases

import "github.com/zkml-go/zkml/audit"

// Explanation says why nothing survives without some kinds of rows of a case.
type Explanation struct {
	System string
	Kinds  []string
	Why    string
}

// Why nothing survives without some commitments of these gadgets. Their operands are
// given here, so that a value which isn't committed is what they and the other values
// leave: one, or one of a few. They are needed in general. Operands, such as results of
// linear maps, needn't be fixed before the challenge (gadget.Linear). And where each of N
// elements leaves two values, a tensor leaves 2^N sums, among which a prover who knows
// the challenge can search for the one that its table asks for (Wagner, A Generalized
// Birthday Problem, 2002). The audit's circuits have one element.
const (
	whyMax       = "the product makes the maximum one of the given operands; what a prover could choose after the challenge takes many groups, searched for a sum, which the audit doesn't do"
	whyArgMax    = "the given operands and the limbs that are committed determine the one that isn't; operands that aren't fixed need it"
	whyDiv       = "the given operands and what is committed of quotient and remainder determine the rest; operands that aren't fixed need it"
	whyThreshold = "the bit, the given operand and the other limb determine this one; what a prover could choose after the challenge takes the bits of many elements, searched for a sum, which the audit doesn't do"
	whyClamp     = "the limbs of the rounded value and of the clamp determine each other, but for the bit; what a prover could choose after the challenge takes the bits of many elements, searched for a sum, which the audit doesn't do"
)

// explanations is the list: a kind that isn't in it must be detected, one that is in it
// must not.
var explanations = []Explanation{
	{"max", []string{"commit computed"}, whyMax},
	{"argmax", []string{
		"commit tensor element 1 of argmax", "commit limb 0 of argmax",
		"commit limb 0 of limbs", "commit limb 1 of limbs", "commit limb 2 of limbs",
		"commit limb 3 of limbs", "commit limb 4 of limbs", "commit limb 5 of limbs",
	}, whyArgMax},
	{"argmax, the last", []string{
		"commit tensor element 1 of argmax", "commit limb 0 of argmax",
		"commit limb 0 of limbs", "commit limb 1 of limbs", "commit limb 2 of limbs", "commit limb 3 of limbs",
		"commit limb 4 of limbs", "commit limb 5 of limbs", "commit limb 6 of limbs", "commit limb 7 of limbs",
	}, whyArgMax},
	{"div", []string{"commit limb 0 of div", "commit limb 1 of div", "commit computed"}, whyDiv},
	{"threshold", []string{"commit limb 0 of limbs", "commit limb 1 of limbs"}, whyThreshold},
	{"rescale, half to even, clamped", []string{
		"commit limb 1 of rescale half-even", "commit tensor element 0 of rescale", "commit limb 1 of rescale",
	}, whyClamp},
}

// Explain returns the reason why a deletion isn't detected, or "" if there is none.
func Explain(d audit.Deletion) string {
	for _, e := range explanations {
		for _, kind := range e.Kinds {
			if e.System == d.System && kind == d.Kind {
				return e.Why
			}
		}
	}
	return ""
}

// Unmatched returns the explained kinds that a measurement of all gadgets doesn't have.
func Unmatched(list []audit.Deletion) []string {
	seen := make(map[[2]string]bool)
	for _, d := range list {
		seen[[2]string{d.System, d.Kind}] = true
	}
	var missing []string
	for _, e := range explanations {
		for _, kind := range e.Kinds {
			if !seen[[2]string{e.System, kind}] {
				missing = append(missing, e.System+": "+kind)
			}
		}
	}
	return missing
}
