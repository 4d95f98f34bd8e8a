package attacks

import (
	"context"
	"fmt"
	"slices"

	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// Attack is one way to get something false accepted.
type Attack struct {
	// Name says what is attempted.
	Name string
	// Source is the rule of the design that it would break, or the fault that audits of
	// others found.
	Source string
	// Stop is what rejects it.
	Stop string
	// OnChain marks some attacks that are tried through contracts even where time is
	// short; NeedsContract those that are on a contract.
	OnChain, NeedsContract bool

	run func(ctx context.Context, r *Runner) error
}

// onChain marks an attack as one to try through contracts at any time.
func (a *Attack) onChain() *Attack {
	a.OnChain = true
	return a
}

// Runner runs attacks. It keeps the models that several of them attack.
type Runner struct {
	// Contracts says whether the contracts are compiled and called too, which takes
	// seconds for each build.
	Contracts bool

	victims map[string]*victim
	loose   *evm.Verifier // without its checks of calldata
}

// NewRunner returns a Runner that has compiled nothing yet.
func NewRunner() *Runner { return &Runner{victims: make(map[string]*victim)} }

// Run makes one attack. It returns nil if Verify, and the contract where contracts are
// called, reject it while a build without what stops it accepts it.
func (r *Runner) Run(ctx context.Context, a *Attack) error {
	if err := a.run(ctx, r); err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	return nil
}

// Absence is an attack that there is nothing here to try on.
type Absence struct{ Name, Reason string }

// Absent lists what others were attacked by and this project can't be, with the reason.
var Absent = []Absence{
	{"shuffle or sort without multiplicity (topk, sort)", "no operator sorts: a maximum and an argmax prove that they are an element and no less than any; lookups count multiplicity"},
	{"zero written with a minus sign", "integers have one zero; what is left of it are the attacks on signs here"},
	{"a digest of one role passed for another's", "meant to be possible, so that one model's output is the next one's input: the tag names the encoding, the words' order the role"},
	{"a soundness error above 2^-100 (rule 9)", "no constraint to leave out: each model attacked here is checked to have at most that"},
	{"free quotients 0/0 (rule 1's exception)", "nothing depends on them: package audit counts them"},
	{"a contract's answer that a caller forgets to look at", "ModelVerifier reverts and returns no bool"},
}

// All lists the attacks.
func All() []*Attack {
	return slices.Concat(gadgetAttacks(), rangeAttacks(), bindingAttacks(), challengeAttacks(), statementAttacks(), fileAttacks(), calldataAttacks())
}
