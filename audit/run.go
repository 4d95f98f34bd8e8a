package audit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// Options choose how much an audit tries. The zero value is the usual audit.
type Options struct {
	// Exhaustive is the most rows of a system of which every wire is tried with every
	// change; 4,096 if 0. Of a larger one Sample changes of each stratum are; 1,000 if 0.
	Exhaustive, Sample int
	// Exact proves lookups by the rows of their sums alone; otherwise a query outside its
	// table ends a trial.
	Exact bool
	// Seed makes the sample.
	Seed uint64
	// First ends the audit at the first survivor.
	First bool
	// Strict exempts nothing.
	Strict bool
	// Progress is told how much was tried, up to 1.
	Progress func(part float64)
}

// Survivor is a witness that satisfies every row with the inputs as they were, and
// differs from the honest one.
type Survivor struct {
	Node   string `json:"node"`
	Gadget string `json:"gadget"`
	Row    int    `json:"row"` // the first row that uses the changed wire
	Role   Role   `json:"role"`
	Wire   uint32 `json:"wire"`
	Honest string `json:"honest"`
	Value  string `json:"value"`
	// Changed is how many wires differ, Tensors whose elements are among them.
	Changed int      `json:"changed"`
	Tensors []string `json:"tensors,omitempty"`
	// Result says that a public word of the result differs: a forged answer.
	Result bool `json:"result"`
	// Late says that a value was chosen when the challenge was known.
	Late bool `json:"late"`
}

// same reports whether two survivors are of one wire.
func (s *Survivor) same(other Survivor) bool { return s.Wire == other.Wire && s.Late == other.Late }

// String describes the forgery.
func (s Survivor) String() string {
	what := "no tensor changes"
	if len(s.Tensors) > 0 {
		what = fmt.Sprintf("elements of %q change", s.Tensors)
	}
	if s.Result {
		what += ", and so does the answer"
	}
	if s.Late {
		what += "; chosen after the challenge"
	}
	return fmt.Sprintf("node %q, %s, row %d: %s wire %d can be %s instead of %s (%d wires differ, %s)",
		s.Node, s.Gadget, s.Row, s.Role, s.Wire, s.Value, s.Honest, s.Changed, what)
}

// Result is what an audit found.
type Result struct {
	Name       string       `json:"name"`
	Rows       int          `json:"rows"`
	Wires      int          `json:"wires"`
	Mutations  int          `json:"mutations"`
	Exhaustive bool         `json:"exhaustive"`
	Strata     []*Stratum   `json:"strata"`
	Survivors  []Survivor   `json:"survivors"`
	Exempt     map[Role]int `json:"exempt,omitempty"`
	// Inconclusive counts the trials that were given up.
	Inconclusive int `json:"inconclusive"`
	// Underived is what the static pass couldn't derive.
	Underived []Underived `json:"underived,omitempty"`
	Derived   int         `json:"derived"`
}

// Run audits a system. Each of inputs is the public words and secret inputs of one
// honest witness; public results in it may be zero.
func Run(ctx context.Context, s *System, inputs [][]fr.Element, o Options) (*Result, error) {
	m, err := newModel(s, nil)
	if err != nil {
		return nil, err
	}
	result, err := m.audit(ctx, m, inputs, o)
	if err != nil {
		return nil, err
	}
	result.Derived, result.Underived = m.derive()
	return result, nil
}

// audit tries the changes on m. honest is the complete system, whose witnesses are
// also some of m.
func (m *model) audit(ctx context.Context, honest *model, inputs [][]fr.Element, o Options) (*Result, error) {
	if o.Exhaustive == 0 {
		o.Exhaustive = 1 << 12
	}
	if o.Sample == 0 {
		o.Sample = 1000
	}
	strata := m.strata()
	result := &Result{Name: m.sys.Name, Rows: len(m.rows), Wires: m.wires, Strata: strata,
		Exhaustive: len(m.rows) <= o.Exhaustive, Exempt: make(map[Role]int)}
	witnesses := make([][]fr.Element, len(inputs))
	for i, in := range inputs {
		values, err := honest.solve(in)
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
		witnesses[i] = values
	}
	for i, values := range witnesses {
		sample := -1
		if !result.Exhaustive {
			sample = (o.Sample + len(inputs) - 1) / len(inputs)
		}
		r := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		jobs := m.jobs(strata, values, sample, r)
		jobs = append(jobs, m.jumps(strata, values, witnesses[(i+1)%len(witnesses)], sample, r)...)
		jobs = append(jobs, m.lateJobs(jobs, len(inputs), r)...)
		part := o
		if o.Progress != nil {
			part.Progress = func(p float64) { o.Progress((float64(i) + p) / float64(len(inputs))) }
		}
		if err := m.try(ctx, values, jobs, part, result); err != nil {
			return nil, err
		}
		if o.First && len(result.Survivors) > 0 {
			break
		}
	}
	slices.SortStableFunc(result.Survivors, func(a, b Survivor) int { return a.Row - b.Row })
	return result, nil
}

// try runs the jobs on all cores.
func (m *model) try(ctx context.Context, honest []fr.Element, jobs []job, o Options, result *Result) error {
	var mu sync.Mutex
	var failed error
	next, done := 0, 0
	const batch = 64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			t := newTrial(m, honest, o)
			for {
				mu.Lock()
				from, to := next, min(next+batch, len(jobs))
				next = to
				stop := from >= to || failed != nil || ctx.Err() != nil || o.First && len(result.Survivors) > 0
				mu.Unlock()
				if stop {
					return
				}
				for _, j := range jobs[from:to] {
					outcome := t.judge(j)
					mu.Lock()
					if failed == nil {
						failed = outcome.err
					}
					result.Mutations++
					if outcome.exempt != "" {
						result.Exempt[outcome.exempt]++
					}
					if outcome.gaveUp {
						result.Inconclusive++
					}
					if s := outcome.survivor; s != nil && !slices.ContainsFunc(result.Survivors, s.same) {
						result.Survivors = append(result.Survivors, *outcome.survivor)
					}
					mu.Unlock()
				}
				mu.Lock()
				done += to - from
				if o.Progress != nil {
					o.Progress(float64(done) / float64(len(jobs)))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return failed
}

// outcome is what one change came to.
type outcome struct {
	survivor *Survivor
	exempt   Role
	gaveUp   bool
	err      error
}

// judge tries one change with each policy.
func (t *trial) judge(j job) (o outcome) {
	policy, last := rerun, policies
	if j.late {
		policy, last = late, late+1
	}
	for p := policy; p < last; p++ {
		if t.run(j, p) {
			o.survivor, o.exempt, o.err = t.survivor(j)
		}
		o.gaveUp = o.gaveUp || t.gaveUp
		reran := t.reran
		t.reset()
		if o.survivor != nil || o.exempt != "" || o.err != nil || !reran {
			break
		}
	}
	return o
}

// survivor describes what the trial found, unless it is another statement or exempt.
func (t *trial) survivor(j job) (*Survivor, Role, error) {
	m := t.m
	if err := m.verify(t.values); err != nil {
		return nil, "", fmt.Errorf("a survivor of the trial fails: %w", err)
	}
	differs := t.differs()
	if len(differs) == 0 || t.otherStatement(differs) {
		return nil, "", nil
	}
	if !t.strict && t.exempt(differs) {
		return nil, RoleQuotient, nil
	}
	w := j.wire
	if !slices.Contains(differs, w) {
		w = m.culprit(differs)
	}
	row, region := m.home(w)
	s := &Survivor{Node: region.Node, Gadget: region.Gadget, Row: row, Role: m.role(w), Wire: w,
		Honest: t.honest[w].String(), Value: t.values[w].String(), Changed: len(differs), Late: t.late}
	for _, tensor := range m.sys.Tensors {
		if slices.ContainsFunc(tensor.Exprs, func(x gadget.Expr) bool { return !x.IsConst() && slices.Contains(differs, uint32(x.Wire)) }) {
			s.Tensors = append(s.Tensors, tensor.Name)
		}
	}
	for _, w := range differs {
		s.Result = s.Result || int(w) >= m.sys.Results[0] && int(w) < m.sys.Results[1]
	}
	return s, "", nil
}

// culprit is the first of the wires that a prover chooses, or else the first.
func (m *model) culprit(differs []uint32) uint32 {
	if i := slices.IndexFunc(differs, func(w uint32) bool { return m.from[w] >= 0 }); i >= 0 {
		return differs[i]
	}
	return differs[0]
}

// otherStatement reports whether the change is another hidden input within its
// interval, with the tensors that are right for it, which is no forgery. It may even be
// chosen after the challenge. Where all that followed was honest, the tensors are right.
func (t *trial) otherStatement(differs []uint32) bool {
	found := false
	for _, w := range differs {
		c := t.m.from[w]
		if c < 0 || t.m.calls[c].input < 0 {
			continue
		}
		in := &t.m.sys.Inputs[t.m.calls[c].input]
		if !in.Hidden || t.late && in.Given || !within(&t.values[w], in.Lo, in.Hi) {
			return false
		}
		found = true
	}
	honest := t.policy == rerun && t.tries == 0 && !t.late
	return found && (honest || t.honestly())
}

// honestly reports whether the tensors are what an honest prover has for the inputs.
func (t *trial) honestly() bool {
	values, err := t.m.solve(t.values[:t.m.inputs])
	if err != nil {
		return false
	}
	for w, tensor := range t.m.tensor {
		if tensor && !values[w].Equal(&t.values[w]) {
			return false
		}
	}
	return slices.Equal(values[:t.m.public], t.values[:t.m.public])
}

// exempt reports whether all that differs of the prover's choices are quotients, and no
// tensor or public word does. Such a quotient's divisor is zero: nothing depends on it.
func (t *trial) exempt(differs []uint32) bool {
	for _, w := range differs {
		c := t.m.from[w]
		if t.m.tensor[w] || int(w) < t.m.public || c >= 0 && !t.m.calls[c].ratio || c < 0 && t.m.def[w] < 0 {
			return false
		}
	}
	return true
}
